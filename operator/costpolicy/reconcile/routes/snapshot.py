"""Everything that one decision about a namespace's routes depends on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.policy import CostPolicy
from costpolicy.api.validation import Problem
from costpolicy.catalog.prices import PriceList
from costpolicy.kube.gateway import Object, Pod
from costpolicy.observe.routes import RouteTraffic
from costpolicy.reconcile.routes.proofs import Proof
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.routing.compression_proof import CompressionEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesSnapshot:
    """The routes of a namespace and the world as it concerns them.

    Attributes:
        routes: those that are not being deleted, the oldest first.
        policies: of the namespace, by name.
        proofs: what the ConfigMaps that routes name prove of tiers, by name.
        compressions: what they say of compression; those that say nothing are left out.
        traffic: what the router counted, by route, or why that cannot be read.
        stored: the router's objects.
        pods: the router's.
        image: of the router, with its digest; empty: the operator was told none.
        image_pull_secrets: names of Secrets of the namespace.
        operator_image: the operator's own, which CronJobs run; empty: there are none.
        monitored: the cluster has the kind PodMonitor.
    """

    namespace: str
    routes: tuple[ModelRoute, ...]
    policies: Mapping[str, CostPolicy]
    prices: PriceList
    proofs: Mapping[str, Proof | Problem] = field(default_factory=dict)
    compressions: Mapping[str, CompressionEvidence | Problem] = field(default_factory=dict)
    traffic: Mapping[str, RouteTraffic] | MetricsDown = field(default_factory=dict)
    stored: tuple[Object, ...] = ()
    pods: tuple[Pod, ...] = ()
    image: str = ""
    image_pull_secrets: tuple[str, ...] = ()
    operator_image: str = ""
    monitored: bool = False
