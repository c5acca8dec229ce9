"""What a stored policy can still be wrong about: everything that a schema cannot say.

These are found by the operator and reported as ``Stalled``; the command line reports the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from costpolicy.api.policy import CostPolicy, CostPolicySpec, MaintenanceWindow, Schedule
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.reasons import Reason
from costpolicy.api.types import OutputLengthMode

_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The parser needs a start; whether an expression can be read does not depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that only the user can mend: why, and what to do."""

    reason: Reason
    message: str


def problems(policy: CostPolicy, accelerators: Iterable[str]) -> tuple[Problem, ...]:
    """Return what is wrong with a policy; ``accelerators`` are the names that the catalogue knows."""
    known = frozenset(accelerators)
    return (
        *_accelerator_problems("spec.hardware.accelerators", policy.spec.hardware.accelerators, known),
        *_schedule_problems(policy.spec),
        *_unsupported(policy.spec),
    )


def book_problems(book: PriceBook, accelerators: Iterable[str]) -> tuple[Problem, ...]:
    """Return what is wrong with a price book; an offering that is wrong is skipped, the others hold."""
    named = (offering.accelerator for offering in book.spec.offerings)
    return tuple(_accelerator_problems("spec.offerings", named, frozenset(accelerators)))


def _accelerator_problems(where: str, names: Iterable[str], known: frozenset[str]) -> Iterator[Problem]:
    for name in sorted(set(names) - known):
        near = get_close_matches(name, sorted(known), n=1)
        advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        yield Problem(
            reason=Reason.UNKNOWN_ACCELERATOR,
            message=f"{where}: the catalogue does not know {name}; {advice}",
        )


def _schedule_problems(spec: CostPolicySpec) -> Iterator[Problem]:
    timed: list[tuple[str, Schedule | MaintenanceWindow]] = [
        *((f"spec.scaling.schedules[{place}]", item) for place, item in enumerate(spec.scaling.schedules)),
        *(
            (f"spec.rollout.maintenanceWindows[{place}]", item)
            for place, item in enumerate(spec.rollout.maintenance_windows)
        ),
    ]
    for where, item in timed:
        wrong = cron_problem(item.schedule) or _zone_problem(item.time_zone)
        if wrong:
            yield Problem(reason=Reason.INVALID_SCHEDULE, message=f"{where}.{wrong}")


def cron_problem(expression: str) -> str:
    """Return what is wrong with a cron expression and what to write; empty: nothing."""
    try:
        CronSim(expression, _ANY_TIME)
    except CronSimError as error:
        return (
            f"schedule: {expression!r} is not a cron expression ({error}); "
            "write minute hour day month weekday, such as '0 22 * * 1-5'"
        )
    return ""


def _zone_problem(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return f"timeZone: {name!r} is not known; write an IANA name such as Europe/Berlin"
    return ""


def _unsupported(spec: CostPolicySpec) -> Iterator[Problem]:
    """Yield the orders that this version cannot follow; a permission that it does not use is no problem."""
    if spec.techniques.output_length.mode is OutputLengthMode.ENFORCE:
        yield Problem(
            reason=Reason.NOT_SUPPORTED_YET,
            message="spec.techniques.outputLength.mode: Enforce is not supported yet; use Recommend",
        )
