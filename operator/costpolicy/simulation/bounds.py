"""What a played scenario must show, and whether it does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from costpolicy.api.reasons import Reason
from costpolicy.simulation.play import Compared, Played
from costpolicy.units import parse_ratio

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One expectation about one policy: what was asked for, what was found, and whether that is enough."""

    policy: str
    what: str
    asked: str
    found: str
    kept: bool


def bounds(played: Played) -> tuple[Bound, ...]:
    """Return every expectation of a scenario."""
    return tuple(bound for compared in played.policies for bound in _of_policy(played, compared))


def changes_of(compared: Compared) -> tuple[datetime, ...]:
    """Return when changes of configuration began."""
    return tuple(each.at for each in compared.happenings if each.reason == Reason.ROLLOUT_STARTED)


def savings(cost: int, than: int) -> float:
    """Return the share of a cost that is saved; nothing of nothing."""
    return float(1 - Fraction(cost, than)) if than else 0.0


def _of_policy(played: Played, compared: Compared) -> Iterator[Bound]:
    yield from _inside(compared)
    yield from _saved(compared)
    yield from _changes(played, compared)


def _inside(compared: Compared) -> Iterator[Bound]:
    expect, share = compared.expect, compared.result.share
    if expect.behind_best is None:
        least = float(parse_ratio(expect.inside))
        yield _at_least(compared, "inside the objectives", least, share)
        least = compared.static_peak.share - float(parse_ratio(expect.behind_static_peak))
        yield _at_least(compared, f"inside, {expect.behind_static_peak} behind static peak", least, share)
    else:
        least = compared.best - float(parse_ratio(expect.behind_best))
        yield _at_least(compared, f"inside, {expect.behind_best} behind the best possible", least, share)


def _saved(compared: Compared) -> Iterator[Bound]:
    least = float(parse_ratio(compared.expect.below_static_peak))
    found = savings(compared.result.cost.exact, compared.static_peak.cost.exact)
    if least:
        yield _at_least(compared, "cost below static peak", least, found)


def _changes(played: Played, compared: Compared) -> Iterator[Bound]:
    expect, times = compared.expect, changes_of(compared)
    counts = [
        ("changes in an hour", expect.changes_per_hour, _most_within(times, _HOUR)),
        ("changes in a day", expect.changes_per_day, _most_within(times, _DAY)),
    ]
    if expect.changes_after_first_day is not None:
        late = sum(at >= played.start + _DAY for at in times)
        counts.append(("changes after the first day", expect.changes_after_first_day, late))
    for what, most, found in counts:
        yield Bound(policy=compared.policy, what=what, asked=f"at most {most}", found=str(found), kept=found <= most)


def _at_least(compared: Compared, what: str, least: float, found: float) -> Bound:
    return Bound(
        policy=compared.policy, what=what, asked=f"at least {least:.2%}", found=f"{found:.2%}", kept=found >= least
    )


def _most_within(times: Sequence[datetime], span: timedelta) -> int:
    return max((sum(at <= other < at + span for other in times) for at in times), default=0)
