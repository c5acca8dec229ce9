"""Deployments of a cluster or a file, reviewed: what ``scan``, ``init`` and ``render --patch`` share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import Console, InputError

if TYPE_CHECKING:
    from costpolicy.advice.adoption import Promise
    from costpolicy.advice.existing import Existing, Surroundings
    from costpolicy.advice.review import Review
    from costpolicy.api.policy import CostPolicy
    from costpolicy.catalog.prices import PriceList
    from costpolicy.kube.gateway import Object
    from costpolicy.kube.reader import Workloads
    from costpolicy.observe.deployed import DeploymentLoad, DeploymentName
    from costpolicy.observe.source import Missing
    from costpolicy.planning.demand import Demand
    from costpolicy.planning.request import PlanRequest
    from costpolicy.planning.supply import Supply
    from costpolicy.reconcile.inputs import Inputs

BUSY_WINDOW = timedelta(days=1)
"""Time in which busy hours are looked for; a day has all of them, and is asked of any Prometheus in seconds."""
QUERY_TIMEOUT = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What Deployments are reviewed in: the cluster, or nothing but a file, and prices."""

    workloads: "Workloads"
    prices: "PriceList"
    measured: "Mapping[DeploymentName, DeploymentLoad]"

    @property
    def around(self) -> "Surroundings":
        """Pods, nodes and prices."""
        from costpolicy.advice.existing import Surroundings

        workloads = self.workloads
        nodes: Any = self._refusal() if workloads.nodes_refused else workloads.nodes
        return Surroundings(pods=workloads.pods, nodes=nodes, offerings=self.prices.offerings)

    def existing(self, deployment: "Object", version: str = "") -> "Existing | Missing":
        """Return what a Deployment is known to be."""
        from costpolicy.advice.existing import existing_of

        return existing_of(deployment, self.around, version)

    def review(self, existing: "Existing", promise: "Promise") -> "Review":
        """Return what there is to say about it."""
        from costpolicy.advice.review import Asked, review

        return review(
            existing,
            Asked(
                promise=promise,
                demand=self._demand(existing),
                supplies=self._supplies(existing),
                currency=self.prices.currency,
            ),
        )

    def request(self, policy: "CostPolicy", inputs: "Inputs", existing: "Existing") -> "PlanRequest":
        """Return the question what a policy would run instead: for its ``traffic``, else for all that what runs can carry.

        ``existing`` has a configuration, and ``policy`` a model.
        """
        from costpolicy.advice.review import full_load
        from costpolicy.planning.configuration import Configuration
        from costpolicy.planning.demand import expected_demand
        from costpolicy.planning.request import PlanRequest

        running = existing.configuration if isinstance(existing.configuration, Configuration) else None
        request = PlanRequest(
            spec=policy.spec,
            architecture=inputs.architecture,
            source_format=inputs.source_format,
            demand=self._demand(existing) or expected_demand(policy.spec.traffic),
            supplies=self._supplies(existing),
            engine=inputs.engine,
            running=running,
            currency=self.prices.currency,
        )
        if running is None or not request.demand.assumed:
            return request
        return replace(request, demand=full_load(request, running, max(existing.replicas, 1)))

    def _demand(self, existing: "Existing") -> "Demand | None":
        from costpolicy.observe.deployed import DeploymentName
        from costpolicy.planning.demand import Demand

        load = self.measured.get(DeploymentName(existing.namespace, existing.name))
        if load is None:
            return None
        return Demand(
            requests_per_second=load.requests_per_second,
            prompt_tokens=load.prompt_tokens,
            output_tokens=load.output_tokens,
            cached_tokens=load.cached_tokens,
            source="Observed",
        )

    def _supplies(self, existing: "Existing") -> "tuple[Supply, ...]":
        """Return what the cluster's nodes leave for it; where they are not known, what it runs on and nothing else."""
        from costpolicy.catalog.prices import Offering
        from costpolicy.planning.supply import Supply, unlimited
        from costpolicy.reconcile.supply import Capacity

        if self.workloads.nodes:
            own = {pod.name for pod in existing.pods}
            others = tuple(
                pod for pod in self.workloads.pods if pod.namespace != existing.namespace or pod.name not in own
            )
            capacity = Capacity(nodes=self.workloads.nodes, pods=others)
            found: tuple[Supply, ...] = capacity.supplies(self.prices.offerings, ("", ""))
            return found
        return unlimited([existing.offering]) if isinstance(existing.offering, Offering) else ()

    def _refusal(self) -> "Missing":
        from costpolicy.api.reasons import Reason
        from costpolicy.observe.source import Missing

        message = (
            f"which accelerator it runs on is not known: nodes may not be listed ({self.workloads.nodes_refused}); ask for "
            "get and list of nodes, or name the product in its node selector"
        )
        return Missing(reason=Reason.FORBIDDEN, message=message)


def scene_of_cluster(namespace: str, prices: "PriceList") -> Scene:
    """Return the Deployments of a namespace, or of all where it is empty.

    Raises:
        InputError: the cluster cannot be read.
    """
    from costpolicy.kube.errors import Forbidden, GatewayError
    from costpolicy.kube.reader import read_workloads

    try:
        return Scene(workloads=read_workloads(namespace), prices=prices, measured={})
    except Forbidden as error:
        where = f"namespace {namespace}" if namespace else "all namespaces (-A)"
        raise InputError(f"{error}; ask for the ClusterRole view in {where}") from error
    except GatewayError as error:
        raise InputError(f"the cluster cannot be read: {error}") from error


def scene_of_deployment(namespace: str, name: str, prices: "PriceList") -> Scene:
    """Return one Deployment of a cluster.

    Raises:
        InputError: the cluster cannot be read, or there is none of that name.
    """
    scene = scene_of_cluster(namespace, prices)
    found = tuple(one for one in scene.workloads.deployments if one["metadata"]["name"] == name)
    if not found:
        raise InputError(f"there is no Deployment {name} in namespace {namespace}")
    return replace(scene, workloads=replace(scene.workloads, deployments=found))


def scene_of(deployments: "Sequence[Object]", prices: "PriceList") -> Scene:
    """Return Deployments of a file, without pods and nodes."""
    from costpolicy.kube.reader import Workloads

    workloads = Workloads(deployments=tuple(deployments), pods=(), nodes=())
    return Scene(workloads=workloads, prices=prices, measured={})


def with_metrics(scene: Scene, url: str, matchers: str, now: datetime) -> Scene:
    """Return the scene with what a Prometheus says of its Deployments.

    Raises:
        InputError: it is no address of a Prometheus, or does not answer.
    """
    from costpolicy.observe.deployed import deployment_loads
    from costpolicy.observe.fleet import ObserveSettings
    from costpolicy.observe.prometheus import PrometheusSource
    from costpolicy.observe.source import MetricsUnavailable

    try:
        with PrometheusSource(url, timeout=QUERY_TIMEOUT) as source:
            scope = ObserveSettings(matchers=matchers).scope()
            return replace(scene, measured=deployment_loads(source, scope, BUSY_WINDOW, now))
    except (MetricsUnavailable, ValueError) as error:
        raise InputError(f"--prometheus: {error}") from error


def deployments_in(text: str, where: str) -> "list[Object]":
    """Return the Deployments of a file; other kinds are left out.

    Raises:
        InputError: it is not YAML, or holds no Deployment.
    """
    import yaml

    try:
        documents = [one for one in yaml.safe_load_all(text) if isinstance(one, dict)]
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not YAML: {error}") from error
    items = [
        item for one in documents for item in (one.get("items") or () if one.get("kind", "")[-4:] == "List" else (one,))
    ]
    found = [item for item in items if item.get("kind") == "Deployment"]
    if not found:
        raise InputError(f"{where} holds no Deployment: name deployment/NAME or a file with one")
    return found


def prices_of(files: Sequence[str], console: Console, now: datetime) -> "PriceList":
    """Return price books of files over the packaged list prices."""
    from costpolicy.cli.documents import read

    return read(files, console, now)[1]


def duration(text: str) -> str:
    """Return a duration that the API takes.

    Raises:
        InputError: it is none.
    """
    from costpolicy.units import parse_duration

    try:
        parse_duration(text)
    except ValueError as error:
        raise InputError(str(error)) from error
    return text
