"""The kinds that the operator touches and the paths that serve them; RBAC in the chart lists the same."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from costpolicy.kube.gateway import ObjectRef


class Kind(NamedTuple):
    """An API version and kind with its path's plural name; ``optional`` kinds are CRDs of other projects."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True
    optional: bool = False

    def path(self, namespace: str = "") -> str:
        """Return the collection's path: of one namespace, or of all when ``namespace`` is empty."""
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{group_path(self.api_version)}{scope}/{self.plural}"


COST_POLICY: Final = Kind("costpolicy.dev/v1alpha1", "CostPolicy", "costpolicies")
MODEL_ROUTE: Final = Kind("costpolicy.dev/v1alpha1", "ModelRoute", "modelroutes", optional=True)
"""Optional: an operator whose definitions are of the version before still serves policies."""
PRICE_BOOK: Final = Kind("costpolicy.dev/v1alpha1", "PriceBook", "pricebooks", namespaced=False)
NODE: Final = Kind("v1", "Node", "nodes", namespaced=False)
POD: Final = Kind("v1", "Pod", "pods")
DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
SERVICE: Final = Kind("v1", "Service", "services")
DISRUPTION_BUDGET: Final = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
JOB: Final = Kind("batch/v1", "Job", "jobs")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
SECRET: Final = Kind("v1", "Secret", "secrets")
NETWORK_POLICY: Final = Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
CRON_JOB: Final = Kind("batch/v1", "CronJob", "cronjobs")
POD_MONITOR: Final = Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors", optional=True)

HORIZONTAL_POD_AUTOSCALER: Final = Kind(
    "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", optional=True
)
SCALED_OBJECT: Final = Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects", optional=True)

AUTOSCALERS: Final = (HORIZONTAL_POD_AUTOSCALER, SCALED_OBJECT)
"""Kinds that write replicas of Deployments; those of others are read too."""

OWNED: Final = (DEPLOYMENT, SERVICE, DISRUPTION_BUDGET, POD_MONITOR, *AUTOSCALERS, JOB)
"""The kinds of a policy's children, in the order in which ``Gateway.owned`` returns them."""

ROUTER_ONLY: Final = (NETWORK_POLICY, CRON_JOB)
"""The kinds of a router's objects that no policy has and that are mirrored; ConfigMaps are never listed."""

ROUTER: Final = (DEPLOYMENT, SERVICE, DISRUPTION_BUDGET, POD_MONITOR, *ROUTER_ONLY)
"""The kinds that a router is made of, in the order in which ``Gateway.router`` returns them."""

_KINDS: Final[Mapping[tuple[str, str], Kind]] = {
    (kind.api_version, kind.kind): kind
    for kind in (COST_POLICY, MODEL_ROUTE, PRICE_BOOK, NODE, POD, SECRET, CONFIG_MAP, *OWNED, *ROUTER_ONLY)
}


def kind_of(ref: ObjectRef) -> Kind:
    """Return the kind that a reference names.

    Raises:
        KeyError: the operator has no business with that kind; a defect of the caller.
    """
    return _KINDS[ref.api_version, ref.kind]


def object_path(ref: ObjectRef) -> str:
    """Return the path of one object."""
    return f"{kind_of(ref).path(ref.namespace)}/{ref.name}"


def group_path(api_version: str) -> str:
    """Return the root path of an API group and version; the core group lives under /api."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
