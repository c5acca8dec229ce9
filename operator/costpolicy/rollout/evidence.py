"""What a canary that takes traffic has shown beside the variant that serves: enough, not yet, or that it must go.

Both arms answer the same traffic at the same time, so what slows both down is not the canary's doing.  Nothing is
promoted without an answer: what cannot be measured is waited for, and given up after :data:`PATIENCE`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from costpolicy.api.reasons import Reason
from costpolicy.units import format_time

WARM_UP: Final = timedelta(minutes=10)
"""Left out at the begin of a step: five minutes in which kernels are compiled and the prefix cache fills, and five more
until the rates that are read (``prometheus.rateWindow``) hold nothing of them."""
CONFIRMED_AFTER: Final = timedelta(minutes=3)
"""How long something must be wrong before the canary goes: longer than one slow scrape."""
NEEDED_REQUESTS: Final = 100
"""Requests of a step below which its p95 is a matter of five requests."""
PATIENCE: Final = timedelta(hours=24)
"""After so long in one step, a day and its peak included, what is not shown by then will not be."""
MORE_FAILURES: Final = 0.01
"""Share of requests that may fail beyond what fails on the other arm."""
_FEW_FAILURES: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant as it answers now.  ``None`` is not known (not measured, or a histogram too coarse to say).

    Attributes:
        requests_per_second: offered to it.
        failed_per_second: requests that the engine ended with an error or aborted.
        finished_per_second: all that ended.
        missed: the objectives that its p95 misses.
        kept: the objectives that it keeps.
    """

    requests_per_second: float | None
    failed_per_second: float
    finished_per_second: float
    missed: frozenset[str]
    kept: frozenset[str]

    @property
    def failed_share(self) -> float:
        """Share of its requests that fail."""
        return self.failed_per_second / self.finished_per_second if self.finished_per_second else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a change: since when both arms share the traffic, for how long evidence is asked for, and since when
    something has been wrong (``None``: nothing is).
    """

    since: datetime
    duration: timedelta
    wrong_since: datetime | None
    objectives: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Not enough yet; ``message`` holds no time that passes, so that status stays still."""

    message: str
    wrong_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """The canary kept everything for the whole step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """The canary must go."""

    reason: Reason
    message: str


Evidence: TypeAlias = Gathering | Enough | Against


def judge_canary(new: Arm | None, old: Arm | None, step: Step, now: datetime) -> Evidence:
    """Return what a step has shown; an arm is ``None`` while its metrics cannot be read."""
    begins = step.since + WARM_UP
    ends = begins + step.duration
    if now < begins:
        return Gathering(message=f"it warms up until {format_time(begins)}")
    wrong = _wrong(new, old) if new is not None else None
    if wrong is not None:
        since = min(step.wrong_since or now, now)
        confirmed = now >= since + CONFIRMED_AFTER
        return wrong if confirmed else Gathering(message=wrong.message, wrong_since=since)
    lacking = _lacking(new, step, now - begins)
    if lacking and now >= step.since + max(PATIENCE, WARM_UP + 2 * step.duration):
        return Against(reason=Reason.CANARY_INCONCLUSIVE, message=f"it was tried for a day: {lacking}")
    if lacking:
        return Gathering(message=lacking)
    return (
        Enough()
        if now >= ends
        else Gathering(message=f"it keeps its promise; evidence is gathered until {format_time(ends)}")
    )


def _wrong(new: Arm, old: Arm | None) -> Against | None:
    alone = new.missed - (old.missed if old is not None else frozenset())
    if alone:
        missed = " and ".join(sorted(alone))
        return Against(
            reason=Reason.CANARY_MISSES_OBJECTIVE,
            message=f"its p95 of {missed} misses the objective, and that of what serves does not",
        )
    usual = old.failed_share if old is not None else 0.0
    seconds = CONFIRMED_AFTER.total_seconds()
    if new.failed_share > usual + MORE_FAILURES and new.failed_per_second * seconds >= _FEW_FAILURES:
        return Against(
            reason=Reason.CANARY_FAILS_REQUESTS,
            message=f"of its requests {MORE_FAILURES:.0%} more fail than of those of what serves",
        )
    return None


def _lacking(new: Arm | None, step: Step, elapsed: timedelta) -> str:
    """Return what keeps a step from being judged, in words; empty: nothing."""
    if new is None or new.requests_per_second is None:
        return "its metrics cannot be read"
    unknown = sorted(step.objectives - new.kept - new.missed)
    if unknown:
        return f"its p95 of {' and '.join(unknown)} is not known well enough"
    if new.missed:
        return f"its p95 of {' and '.join(sorted(new.missed))} misses the objective, as that of what serves does"
    asked = new.requests_per_second * max(elapsed, step.duration).total_seconds()
    if asked < NEEDED_REQUESTS:
        return f"fewer than {NEEDED_REQUESTS} requests reach it in a step"
    return ""
