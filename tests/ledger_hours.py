"""Hours of a ledger, made by hand: what was held, what it cost, what was served."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from costpolicy.savings.measurement import HOUR, Offering
from costpolicy.units import Money

BEGIN = datetime(2026, 11, 2, tzinfo=UTC)
H100, L40S = ("nvidia-h100-80gb", "OnDemand"), ("nvidia-l40s", "OnDemand")
PRICES = {H100: "4.00", L40S: "1.00"}
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Made:
    """An hour with one accelerator of each offering named, or as many as said."""

    until: datetime
    costs: dict[Offering, Money] = field(default_factory=dict)
    accelerators: dict[Offering, float] = field(default_factory=dict)
    requests: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0


def hour(number: int, held: dict[Offering, int], requests: int = 1000, prices: dict[Offering, str] = PRICES) -> Made:
    """The hour that begins that many hours after ``BEGIN``."""
    return Made(
        until=BEGIN + HOUR * (number + 1),
        costs={offering: Money.parse(prices[offering]) * count for offering, count in held.items()},
        accelerators={offering: float(count) for offering, count in held.items()},
        requests=requests,
        prompt_tokens=1000 * requests,
        output_tokens=200 * requests,
    )


def at(hours: float) -> datetime:
    return BEGIN + HOUR * hours
