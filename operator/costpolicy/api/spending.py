"""What a status says of money that was spent."""

from costpolicy.api.figures import Money, Short, Whole
from costpolicy.api.model import ObservedModel
from costpolicy.api.types import Timestamp


class SpendingStatus(ObservedModel):
    """What this calendar month (UTC) has cost: `spent` until `until`, and `costPerHour` for each hour since."""

    month: Short
    """The month, such as `2026-11`."""
    spent: Money
    """Spent in it until `until`: price in force x accelerators held x time."""
    remainder: Whole = 0
    """3,600ths of a millionth that `spent` leaves out, so that sums stay exact."""
    until: Timestamp
    """Until when `spent` counts: when the cost per hour changed last."""
    cost_per_hour: Money | None = None
    """Cost per hour since `until`. Empty: one of the accelerators held has no price, and the time is a gap."""
    gap: Short = ""
    """Time of the month until `until` of which the cost is not known; it is in no sum. Empty: none."""
    currency: Short = ""
    """Currency of these."""
    forecast: Money | None = None
    """What the month will have cost, in three digits; only with a monthly budget. Empty: not known."""
    hourly_ceiling: Money | None = None
    """What the monthly budget leaves for each hour that is left; replicas are added up to it."""
