"""The ledger by hour, policy and offering, for those who do the books: costs alone, whatever was served.

The same arithmetic as :mod:`costpolicy.observe.ledger`: an hour's cost of an offering is rounded once, to the micro-unit, and
every sum of such hours is exact.  Hours of which it is not known what was held are in no row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from costpolicy.observe.attribution import POLICY
from costpolicy.observe.exported import Recorded
from costpolicy.observe.ledger import LedgerFigure
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.source import MetricsSource, Sample
from costpolicy.observe.usual import KNOWN_SHARE
from costpolicy.units import HOUR, MICROS_PER_UNIT, Money

AT_ONCE: Final = 25
"""Policies of one question: a month of hours of a few figures each."""
_PER_ACCELERATOR_HOUR: Final = 10**9
_HALF: Final = HOUR / 2
_OFFERING: Final = ("accelerator", "capacity_type")


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Charge:
    """What one offering cost a policy in one hour.

    Attributes:
        until: end of the hour, in UTC.
        nanos: accelerator-hours in billionths, so that their sums are exact too.
    """

    until: datetime
    namespace: str
    policy: str
    accelerator: str
    capacity_type: str
    currency: str
    cost: Money
    nanos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """Charges in order, and how many hours of an offering had accelerators and no price: those are in no charge."""

    charges: tuple[Charge, ...]
    unpriced: int


def billed_policies(source: MetricsSource, scope: Scope, since: datetime, until: datetime) -> tuple[str, ...]:
    """Return the names of all policies that held accelerators in a span, those that are gone by now included.

    Raises:
        MetricsUnavailable: it cannot be asked.
    """
    hours = (until - since) // HOUR
    if hours <= 0:
        return ()
    held = scope.selector(Recorded.LEDGER, f'figure="{LedgerFigure.ACCELERATORS}"')
    text = f"count by (policy) (last_over_time({held}[{promql_duration(hours * HOUR)}]))"
    return tuple(sorted({sample.labels.get("policy", "") for sample in source.query(text, until)}))


def batches(names: Sequence[str]) -> tuple[Sequence[str], ...]:
    """Return the names in groups that one question may be about."""
    return tuple(names[begin : begin + AT_ONCE] for begin in range(0, len(names), AT_ONCE))


def charges(source: MetricsSource, scope: Scope, names: Iterable[str], since: datetime, until: datetime) -> Charges:
    """Read the charges of some policies, of every full hour of a span.

    Args:
        source: whom to ask.
        scope: which series.
        names: of policies; those of all namespaces.
        since: begin of the first hour.
        until: end of the last hour.

    Raises:
        MetricsUnavailable: it cannot be asked.
    """
    hours = (until - since) // HOUR
    if hours <= 0:
        return Charges(charges=(), unpriced=0)
    samples = source.query(_question(scope, names, hours), until)
    costs = {_place(each): each for each in samples if each.labels.get("figure") == LedgerFigure.COST}
    held = {_place(each)[:-1]: each.value for each in samples if each.labels.get("figure") == LedgerFigure.ACCELERATORS}
    priced = {place[:-1] for place in costs}
    return Charges(charges=tuple(sorted(_charges(costs.values(), held))), unpriced=len(held.keys() - priced))


def _question(scope: Scope, names: Iterable[str], hours: int) -> str:
    matchers = (
        f'policy=~"{"|".join(sorted(set(names)))}"',
        f'figure=~"{LedgerFigure.COST}|{LedgerFigure.ACCELERATORS}"',
    )
    split = scope.by(*POLICY, "figure", *_OFFERING, "currency")
    recorded = f"max {split} (sum without (variant, state) ({scope.selector(Recorded.LEDGER, *matchers)}))"
    seen = f"max({scope.selector(Recorded.OPERATORS_SEEN)}) >= {KNOWN_SHARE}"
    return f"({recorded} and {scope.on()} {seen})[{promql_duration(hours * HOUR - _HALF)}:1h]"


_Place = tuple[datetime, str, str, str, str, str]


def _place(sample: Sample) -> _Place:
    named = (sample.labels.get(label, "") for label in (*POLICY, *_OFFERING, "currency"))
    namespace, policy, accelerator, capacity_type, currency = named
    return sample.timestamp, namespace, policy, accelerator, capacity_type, currency


def _charges(costs: Iterable[Sample], held: dict[tuple[datetime, str, str, str, str], float]) -> Iterator[Charge]:
    for sample in costs:
        until, namespace, policy, accelerator, capacity_type, currency = _place(sample)
        count = held.get((until, namespace, policy, accelerator, capacity_type), 0.0)
        yield Charge(
            until=until.astimezone(UTC),
            namespace=namespace,
            policy=policy,
            accelerator=accelerator,
            capacity_type=capacity_type,
            currency=currency,
            cost=Money(round(sample.value * MICROS_PER_UNIT)),
            nanos=round(count * _PER_ACCELERATOR_HOUR),
        )
