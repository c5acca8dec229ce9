"""The routers of ModelRoutes, as ``costpolicy render`` prints them: decided as the operator would, with nothing proven yet."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from costpolicy.cli.console import Console, InputError

if TYPE_CHECKING:
    from costpolicy.api.model_route import ModelRoute
    from costpolicy.api.policy import CostPolicy
    from costpolicy.catalog.prices import PriceList
    from costpolicy.manifests.serialization import Object
    from costpolicy.reconcile.routes.decide import RouteStatus


def render_routes(
    routes: "Sequence[ModelRoute]",
    policies: "Sequence[CostPolicy]",
    prices: "PriceList",
    arguments: argparse.Namespace,
    console: Console,
) -> "list[Object]":
    """Return the objects of each namespace's router.

    Raises:
        InputError: there is no image, or a route cannot be served.
    """
    from costpolicy.clock import SystemClock
    from costpolicy.reconcile.routes.decide import decide_routes
    from costpolicy.reconcile.routes.snapshot import RoutesSnapshot

    if not arguments.router_image:
        raise InputError("ModelRoutes are served by LiteLLM: name its image, with its digest, in --router-image")
    items: list[Object] = []
    for namespace in sorted({route.metadata.namespace for route in routes}):
        snapshot = RoutesSnapshot(
            namespace=namespace,
            routes=tuple(route for route in routes if route.metadata.namespace == namespace),
            policies={policy.metadata.name: policy for policy in policies if policy.metadata.namespace == namespace},
            prices=prices,
            image=arguments.router_image,
            operator_image=arguments.operator_image or "",
        )
        decision = decide_routes(snapshot, SystemClock().now())
        for told in decision.statuses:
            _tell(told, console)
        items += decision.objects
    return items


def _tell(told: "RouteStatus", console: Console) -> None:
    """Say why a route is not routed.

    Raises:
        InputError: it is not served at all.
    """
    from costpolicy.api.conditions import ConditionType, find

    where = f"{told.route.namespace}/{told.route.name}"
    stalled, routing = (find(told.status.conditions, kind) for kind in (ConditionType.STALLED, ConditionType.ROUTING))
    if stalled is not None and stalled.status == "True":
        raise InputError(f"{where}: {stalled.reason}: {stalled.message}")
    if routing is not None and routing.status != "True":
        console.note(f"costpolicy: {where}: {routing.reason}: {routing.message}")
