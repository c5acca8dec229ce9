"""Gather, decide, carry out, for all routes of one namespace at a time."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from costpolicy.api.conditions import ConditionType, condition
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import ModelRouteStatus
from costpolicy.api.reasons import Reason
from costpolicy.api.validation import Problem
from costpolicy.clock import Clock
from costpolicy.kube.errors import Forbidden, Invalid, NameTaken
from costpolicy.kube.gateway import Event, FieldManager, Gateway, Object, Unreadable
from costpolicy.kube.kinds import POD_MONITOR, SECRET
from costpolicy.kube.parsing import is_router
from costpolicy.manifests.router.identity import router_labels
from costpolicy.observe.routes import RouteTraffic
from costpolicy.reconcile.fleet import Fleet, FleetWatch
from costpolicy.reconcile.reconciler import reason_of
from costpolicy.reconcile.routes.decide import RoutesDecision, decide_routes
from costpolicy.reconcile.routes.evidence import Calibrations
from costpolicy.reconcile.routes.namespace import MASTER_KEY
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot
from costpolicy.reconcile.snapshot import MetricsDown


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterDefaults:
    """What the operator was told of routers.

    Attributes:
        image: with its digest; empty: none, and no route is served.
        image_pull_secrets: names of Secrets that every namespace with routes has.
        operator_image: the operator's own; empty: no calibration is renewed.
    """

    image: str = ""
    image_pull_secrets: tuple[str, ...] = ()
    operator_image: str = ""


class RoutesReconciler:
    """Brings the router of one namespace at a time closer to what its routes say.

    ``new_key`` makes a master key, another one at each call.
    """

    def __init__(
        self, gateway: Gateway, fleet: FleetWatch, clock: Clock, defaults: RouterDefaults, new_key: Callable[[], str]
    ) -> None:
        self._gateway = gateway
        self._fleet = fleet
        self._clock = clock
        self._defaults = defaults
        self._new_key = new_key
        self._calibrations = Calibrations(gateway)

    def reconcile(self, namespace: str) -> timedelta | None:
        """Decide about a namespace's routes and carry it out; return when to look again, ``None`` when there are none.

        Raises:
            GatewayError: the API server refused or could not be reached; the same call may simply be repeated.
        """
        routes = []
        for found in self._gateway.routes():
            if isinstance(found, Unreadable):
                if found.ref.namespace == namespace:
                    self._gateway.apply_status(found.ref, _unreadable(found).to_json())
            elif found.metadata.namespace == namespace and found.metadata.deletion_timestamp is None:
                routes.append(found)
        if not routes:
            self._calibrations.forget(namespace)
            return None
        snapshot, now = self.gather(namespace, tuple(sorted(routes, key=_age))), self._clock.now()
        decision = decide_routes(snapshot, now)
        try:
            self._carry_out(namespace, decision)
        except (NameTaken, Forbidden, Invalid) as error:
            refused = Problem(reason=reason_of(error), message=str(error))
            decision = decide_routes(snapshot, now, refused)
            self._carry_out(namespace, decision)
        return decision.look_again

    def gather(self, namespace: str, routes: tuple[ModelRoute, ...]) -> RoutesSnapshot:
        """Return everything that a decision about a namespace's routes depends on."""
        fleet, stored = self._fleet.look(), self._calibrations.of(namespace, routes)
        return RoutesSnapshot(
            namespace=namespace,
            routes=routes,
            policies={
                policy.metadata.name: policy for policy in fleet.policies if policy.metadata.namespace == namespace
            },
            prices=fleet.prices,
            proofs=stored.proofs,
            compressions=stored.compressions,
            traffic=_traffic(fleet, namespace),
            stored=self._gateway.router(namespace),
            pods=tuple(pod for pod in fleet.capacity.pods if pod.namespace == namespace and is_router(pod.labels)),
            image=self._defaults.image,
            image_pull_secrets=self._defaults.image_pull_secrets,
            operator_image=self._defaults.operator_image,
            monitored=self._gateway.serves(POD_MONITOR.api_version, POD_MONITOR.kind),
        )

    def _carry_out(self, namespace: str, decision: RoutesDecision) -> None:
        """Write a decision, in an order that may be interrupted anywhere.  Repeating it writes nothing.

        Raises:
            GatewayError: as the Gateway's methods do; the next decision goes on from what was written.
        """
        if decision.master_key:
            self._gateway.create(master_key_secret(namespace, self._new_key()))
        for ref in decision.deletions:
            self._gateway.delete(ref)
        for item in decision.objects:
            self._gateway.apply(item, FieldManager.OPERATOR)
        for told in decision.statuses:
            self._gateway.apply_status(told.route, told.status.to_json())
            for news in told.news:
                self._gateway.publish(
                    Event(regarding=told.route, type=news.type, reason=news.reason, action="Reconcile", note=news.note)
                )


def master_key_secret(namespace: str, key: str) -> Object:
    """Return the Secret with a router's master key.

    No route owns it: clients hold the key, and it stays the same when routes go and come.
    """
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": {"name": MASTER_KEY.name, "namespace": namespace, "labels": router_labels()},
        "type": "Opaque",
        "data": {MASTER_KEY.key: b64encode(key.encode()).decode()},
    }


def _traffic(fleet: Fleet, namespace: str) -> dict[str, RouteTraffic] | MetricsDown:
    seen = fleet.observations
    if isinstance(seen, MetricsDown):
        return seen
    return {name: traffic for (where, name), traffic in seen.routes.items() if where == namespace}


def _age(route: ModelRoute) -> tuple[str, str]:
    created = route.metadata.creation_timestamp
    return created.isoformat() if created else "", route.metadata.name


def _unreadable(found: Unreadable) -> ModelRouteStatus:
    """Return the status of a stored route that no longer parses; without times, so that it is written once."""
    told = tuple(
        condition(kind, status, Reason.INVALID_POLICY, found.message, generation=found.generation)
        for kind, status in ((ConditionType.READY, False), (ConditionType.STALLED, True))
    )
    return ModelRouteStatus(observed_generation=found.generation, conditions=told)
