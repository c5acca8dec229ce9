"""``decide_routes``: from a snapshot of a namespace's routes to what is written.  Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import ModelRouteStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.validation import Problem
from costpolicy.kube.gateway import EventType, Object, ObjectRef, reference, reference_of
from costpolicy.kube.kinds import CONFIG_MAP
from costpolicy.manifests.router.configuration import ConfigurationTooLargeError, configuration_name
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.router_objects import router_objects
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.routes.conditions import RouteAnswer
from costpolicy.reconcile.routes.namespace import MASTER_KEY, conflicts, router_of
from costpolicy.reconcile.routes.router_state import RouterState, Trouble, remembering, state_of, trouble_of
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot
from costpolicy.reconcile.routes.status import status_of
from costpolicy.reconcile.routes.view import view_of
from costpolicy.reconcile.snapshot import MetricsDown

ROLLING: Final = timedelta(seconds=5)
"""How soon a router that rolls is looked at again."""
STEADY: Final = timedelta(seconds=30)

_NO_IMAGE: Final = Problem(
    reason=Reason.ROUTER_IMAGE_MISSING,
    message="the operator was told no image of the router: set router.image.repository and router.image.digest in the chart",
)
_TOLD: Final = {
    ConditionType.STALLED: "True",
    ConditionType.ROUTING: None,
    ConditionType.TIERS_READY: "False",
    ConditionType.COMPRESSING: None,
}
"""Conditions whose change is an event, and the status that is bad news; ``None``: every change is an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteStatus:
    """What is to be said of one route."""

    route: ObjectRef
    status: ModelRouteStatus
    news: tuple[News, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesDecision:
    """What to write, in this order: the master key if it is not there, deletions, objects, statuses; then events.

    Deletions come before the Deployment that says what is left to delete.
    """

    master_key: bool
    deletions: tuple[ObjectRef, ...]
    objects: tuple[Object, ...]
    statuses: tuple[RouteStatus, ...]
    look_again: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rendering:
    """The router as objects; none where there is nothing to run, or it cannot be rendered."""

    router: Router | None = None
    configuration: str = ""
    objects: tuple[Object, ...] = ()
    problem: Problem | None = None


def decide_routes(snapshot: RoutesSnapshot, now: datetime, refused: Problem | None = None) -> RoutesDecision:
    """Decide about every route of a namespace and the router that they share.

    Args:
        snapshot: of at least one route.
        now: the date of the decision.
        refused: what only writing showed; then nothing but status is written.
    """
    differing = conflicts(snapshot.routes)
    views = [view_of(route, snapshot, differing.get(route.metadata.name), now) for route in snapshot.routes]
    made = _render(snapshot, router_of(snapshot, [view.rendered for view in views if view.rendered is not None]))
    state, trouble = state_of(snapshot.stored), trouble_of(snapshot.pods)
    down = snapshot.traffic if isinstance(snapshot.traffic, MetricsDown) else None
    answers = [
        RouteAnswer(
            view=view,
            state=state,
            trouble=trouble,
            configuration=made.configuration,
            problem=refused or made.problem,
            metrics_down=down,
            currency=snapshot.prices.currency,
        )
        for view in views
    ]
    write = made.router is not None and refused is None
    settled = state.serves(made.configuration)
    return RoutesDecision(
        master_key=write and made.router is not None and _needs_key(made.router, state, trouble),
        deletions=tuple(_left_over(snapshot, made, state)) if write else (),
        objects=remembering(made.objects, _kept(made, state)) if write else (),
        statuses=tuple(_told(answer.view.route, status_of(answer, now)) for answer in answers),
        look_again=STEADY if settled or not write else ROLLING,
    )


def _render(snapshot: RoutesSnapshot, router: Router | None) -> _Rendering:
    if not snapshot.image:
        return _Rendering(problem=_NO_IMAGE)
    if router is None:
        return _Rendering()
    try:
        return _Rendering(
            router=router,
            configuration=configuration_name(router),
            objects=router_objects(router, monitored=snapshot.monitored),
        )
    except ConfigurationTooLargeError as error:
        return _Rendering(problem=Problem(reason=Reason.CONFIGURATION_TOO_LARGE, message=str(error)))


def _needs_key(router: Router, state: RouterState, trouble: Trouble) -> bool:
    """Return whether the master key may have to be made: before the first pods, and when they miss it."""
    return router.master_key == MASTER_KEY and (not state.exists or MASTER_KEY.name in trouble.secret)


def _left_over(snapshot: RoutesSnapshot, made: _Rendering, state: RouterState) -> Iterator[ObjectRef]:
    """Yield what is stored and no longer wanted, and former configurations once every replica has the present one."""
    names = {(item["kind"], item["metadata"]["name"]) for item in made.objects}
    yield from (reference(item) for item in snapshot.stored if (item["kind"], item["metadata"]["name"]) not in names)
    for name in sorted(state.remembered - _kept(made, state)):
        yield ObjectRef(
            api_version=CONFIG_MAP.api_version, kind=CONFIG_MAP.kind, name=name, namespace=snapshot.namespace
        )


def _kept(made: _Rendering, state: RouterState) -> frozenset[str]:
    """Return the configurations that stay: all, until every replica has the present one."""
    present = frozenset({made.configuration})
    return present if state.serves(made.configuration) else state.remembered | present


def _told(route: ModelRoute, status: ModelRouteStatus) -> RouteStatus:
    return RouteStatus(route=reference_of(route), status=status, news=tuple(_news(route, status)))


def _news(route: ModelRoute, status: ModelRouteStatus) -> Iterator[News]:
    """Yield an event for each condition that turned, or that is bad for another reason than before."""
    before = route.status.conditions if route.status else ()
    told: set[str] = set()
    for kind, bad in _TOLD.items():
        new, old = find(status.conditions, kind), find(before, kind)
        if (
            new is None
            or new.reason in told
            or (old is not None and (old.status, old.reason) == (new.status, new.reason))
        ):
            continue
        if bad is not None and new.status != bad:
            continue
        told.add(new.reason)
        good = bad is None and new.status == "True"
        yield News(type=EventType.NORMAL if good else EventType.WARNING, reason=new.reason, note=new.message)
