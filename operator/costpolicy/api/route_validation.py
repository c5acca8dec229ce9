"""What a stored route can still be wrong about by itself: everything that a schema cannot say."""

from collections.abc import Iterator, Mapping

from costpolicy.api.model_route import ModelRoute, ModelRouteSpec
from costpolicy.api.reasons import Reason
from costpolicy.api.validation import Problem, cron_problem


def route_problems(route: ModelRoute) -> tuple[Problem, ...]:
    """Return what is wrong with a route."""
    return (*_cycle(route.spec), *_schedule(route.spec))


def fallbacks(spec: ModelRouteSpec) -> Mapping[str, tuple[str, ...]]:
    """Return which tiers answer in the place of each, in order: those that it names, else those after it and then those before.

    Where what they name is a circle nothing that they name counts.
    """
    names = [tier.name for tier in spec.tiers]
    usual = {name: (*names[place + 1 :], *reversed(names[:place])) for place, name in enumerate(names)}
    if any(_cycle(spec)):
        return usual
    return {tier.name: tier.fallbacks or usual[tier.name] for tier in spec.tiers}


def _cycle(spec: ModelRouteSpec) -> Iterator[Problem]:
    circle = _circle({tier.name: tier.fallbacks for tier in spec.tiers})
    if circle:
        yield Problem(
            reason=Reason.FALLBACK_CYCLE,
            message=f"spec.tiers: fallbacks lead in a circle ({' to '.join(circle)}): take one of them out of fallbacks",
        )


def _circle(named: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return tiers that lead back to the first of them, or nothing."""
    for start in named:
        paths: list[tuple[str, ...]] = [(start,)]
        while paths:
            path = paths.pop()
            for following in named[path[-1]]:
                if following == start:
                    return (*path, start)
                if following not in path:
                    paths.append((*path, following))
    return ()


def _schedule(spec: ModelRouteSpec) -> Iterator[Problem]:
    wrong = cron_problem(spec.calibration.schedule) if spec.calibration.schedule else ""
    if wrong:
        yield Problem(reason=Reason.INVALID_SCHEDULE, message=f"spec.calibration.{wrong}")
