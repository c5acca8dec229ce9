"""What a monthly review is about: costs, their drivers, changes and their proof, the playbook, the forecast; as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from costpolicy.api.measured import MeasurementStatus, PlaybookRow, Receipt
from costpolicy.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What one policy costs, or several that are told together.

    Attributes:
        policy: its namespace and name.
        runs: what serves, in words; empty where nothing does.
        cost: in the span.
        per_hour: what it costs an hour now; ``None``: not known.
        forecast: what its month will have cost; ``None``: not known.
        budget: of its month, if it has one.
        requests: answered in the span; ``None``: not known.
        cost_per_thousand: requests, over the hours of which both are known.
        policies: how many policies these are.
    """

    policy: str
    runs: str
    cost: Money
    per_hour: Money | None
    forecast: Money | None
    budget: Money | None
    requests: int | None = None
    cost_per_thousand: Money | None = None
    policies: int = 1

    @property
    def over_budget(self) -> bool:
        """Whether its month will have cost more than its budget, as far as that is known."""
        return self.budget is not None and self.forecast is not None and self.forecast > self.budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What all policies that are paid in one currency cost, the dearest first.

    Attributes:
        drivers: every policy.
        days: what each cost on each day, by its key; empty where that is not known.
        features: the same total by feature, the dearest first; empty where that is not known.
        forecast: of all whose own is known; ``unforecast`` are not in it.
    """

    currency: str
    drivers: tuple[Driver, ...]
    days: Mapping[str, Mapping[date, Money]]
    features: Mapping[str, Money] = field(default_factory=dict)

    @property
    def total(self) -> Money:
        """What all of them cost in the span."""
        return Money(sum(driver.cost.micros for driver in self.drivers))

    @property
    def per_hour(self) -> Money:
        """What all of them cost an hour now, as far as that is known."""
        return Money(sum(driver.per_hour.micros for driver in self.drivers if driver.per_hour is not None))

    @property
    def forecast(self) -> Money | None:
        """What the month will have cost, of those of which that is known; ``None`` where it is of nobody."""
        known = [driver.forecast.micros for driver in self.drivers if driver.forecast is not None]
        return Money(sum(known)) if known else None

    @property
    def budget(self) -> Money | None:
        """The budgets of the month of those that have one."""
        known = [driver.budget.micros for driver in self.drivers if driver.budget is not None]
        return Money(sum(known)) if known else None

    def largest(self, count: int) -> tuple[tuple[Driver, ...], Driver | None]:
        """Return the dearest, and the rest as one: nothing is lost from the total."""
        first, rest = self.drivers[:count], self.drivers[count:]
        return first, together(rest) if rest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMade:
    """A change with its receipt, and what was measured of it, if it is its policy's last."""

    policy: str
    currency: str
    receipt: Receipt
    measured: MeasurementStatus | None
    paragraph: str

    @property
    def saved_per_month(self) -> Money | None:
        """Allocated, in an average month; ``None``: not known."""
        if self.measured is None or self.measured.saved_per_hour is None:
            return None
        return Money.read(self.measured.saved_per_hour).monthly()

    @property
    def realised_per_month(self) -> Money | None:
        """Of that, what has left the bill; ``None``: not known."""
        if self.measured is None or self.measured.realised_per_hour is None:
            return None
        return Money.read(self.measured.realised_per_hour).monthly()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A row of a policy's playbook."""

    policy: str
    currency: str
    row: PlaybookRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Everything of one span, which is a month or what has passed of it.

    Attributes:
        since, until: the span.
        made_at: when it was put together.
        source: where costs come from, in words.
        bills: one a currency, the dearest first: amounts of two currencies are never added.
        changes: whose saving is known first, the largest first; then the newest.
        advice: rows that would save, the largest first.
        without_playbook: policies whose status has none.
        missing: what is not known, in sentences.
    """

    since: datetime
    until: datetime
    made_at: datetime
    source: str
    bills: tuple[Bill, ...]
    changes: tuple[ChangeMade, ...]
    advice: tuple[Advice, ...]
    policies: int
    without_playbook: int
    missing: tuple[str, ...]


def together(drivers: tuple[Driver, ...]) -> Driver:
    """Return several policies as one; a figure that one of them lacks is that of the others."""
    requests = [driver.requests for driver in drivers if driver.requests is not None]
    count = sum(driver.policies for driver in drivers)
    return Driver(
        policy=f"{count} other{'s' if count != 1 else ''}",
        runs="",
        cost=Money(sum(driver.cost.micros for driver in drivers)),
        per_hour=_sum([driver.per_hour for driver in drivers]),
        forecast=_sum([driver.forecast for driver in drivers]),
        budget=_sum([driver.budget for driver in drivers]),
        requests=sum(requests) if requests else None,
        policies=count,
    )


def _sum(amounts: list[Money | None]) -> Money | None:
    known = [amount.micros for amount in amounts if amount is not None]
    return Money(sum(known)) if known else None
