"""What could be run: the plan for a policy's demand, and what its running configurations need at the same demand."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import EngineError
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.placement import ProductLabels
from costpolicy.manifests.products import products_on
from costpolicy.manifests.record import Record
from costpolicy.manifests.timing import startup_budget
from costpolicy.manifests.variant import Variant, render_variant
from costpolicy.manifests.weights import served_source
from costpolicy.observe.observation import PolicyObservation
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.plan import Plan, Rejection, Target
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.planning.sizing import size, supply_of
from costpolicy.planning.supply import Supply
from costpolicy.reconcile.acceptance import acceptance_of_proposers
from costpolicy.reconcile.asked import disturbs, without_evaluations
from costpolicy.reconcile.budget import Spending, spending_of
from costpolicy.reconcile.calibration import calibration_book
from costpolicy.reconcile.demand import Demands, demands
from costpolicy.reconcile.findings import Examiner, Findings, findings, refused_answers
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.remedies import with_remedy
from costpolicy.reconcile.snapshot import Planned, Snapshot
from costpolicy.reconcile.unscraped import scrapable, with_unscraped
from costpolicy.rollout.windows import Bounds, replica_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The plan and the means to size and render any configuration of the same policy."""

    snapshot: Snapshot
    inputs: Inputs
    demands: Demands
    planned: Planned
    plan: Plan
    bounds: Bounds
    spending: Spending
    examiner: Examiner | None
    findings: Findings
    _rendered: dict[str, Variant | None] = field(default_factory=dict, repr=False, compare=False)
    _allowing: dict[tuple[str, CapacityType], CostPolicySpec] = field(default_factory=dict, repr=False, compare=False)

    @property
    def request(self) -> PlanRequest:
        """The question that the plan answers."""
        return self.planned.request

    def sized(self, configuration: Configuration, demand: Demand | None = None) -> Target | Rejection:
        """Return a configuration with the replicas that a demand (by default the planned one) needs."""
        request = self.request if demand is None else replace(self.request, demand=demand)
        return size(request, configuration, limits_of(request), self.planned.evaluation)

    def sized_while_it_serves(self, configuration: Configuration, demand: Demand) -> Target | Rejection:
        """Return the same as if the policy allowed its accelerators: an edit that rules them out lets it serve until its
        successor is ready.
        """
        hardware = configuration.accelerator, configuration.capacity_type
        if hardware not in self._allowing:
            self._allowing[hardware] = _allowing(self.request.spec, *hardware)
        request = replace(self.request, demand=demand, spec=self._allowing[hardware])
        return size(request, configuration, limits_of(request), self.planned.evaluation)

    def sized_by_prediction(self, configuration: Configuration, demand: Demand) -> Target | Rejection:
        """Return the same as if nothing had been measured of it."""
        request = replace(self.request, demand=demand, calibration=None)
        return size(request, configuration, limits_of(request))

    def capacity(self, configuration: Configuration) -> float:
        """Return the requests per second that one replica of a configuration is planned for, wherever it is offered; 0 where
        the catalogue does not know its accelerator any more.
        """
        accelerator = accelerators().get(configuration.accelerator)
        if accelerator is None:
            return 0.0
        return self.planned.evaluation.replica(configuration, accelerator).capacity.requests_per_second

    def supply(self, configuration: Configuration) -> Supply | None:
        """Return the supply of a configuration, if it is still offered."""
        return supply_of(self.request, configuration)

    def spare_replicas(self, configuration: Configuration) -> int:
        """Return how many more replicas of a configuration find free accelerators; none where it is not offered."""
        supply = self.supply(configuration)
        size = configuration.accelerators_per_replica
        return self.snapshot.capacity.spare_replicas(supply.offering, size) if supply else 0

    def rendered(self, target: Target) -> Variant:
        """Return the variant that a target would be, with the newest templates and image."""
        policy, configuration = self.snapshot.policy, target.configuration
        source = served_source(policy, configuration)
        inputs = VariantInputs(
            policy=policy,
            configuration=configuration,
            engine=self.inputs.engine,
            image=self.inputs.image,
            startup_budget=startup_budget(int(target.memory.weights_bytes), source),
            product_labels=self._products_on(configuration),
            scrape_annotations=not self.snapshot.pod_monitor,
        )
        # A better plan that has to wait is asked for in each decision too.
        known = self.snapshot.renderings.of(f"planned {configuration.kernels}", inputs)
        return render_variant(inputs) if known is None else known

    def rendered_again(self, variant: LiveVariant) -> Variant | None:
        """Return what the policy makes of a running variant, with all that is pinned in its record.

        The hash differs from the variant's when the user edited something that is part of it.  ``None``: what it was
        made from is unknown, because its record was lost or its engine is not supported any more.
        """
        if variant.hash not in self._rendered:
            self._rendered[variant.hash] = self._render_again(variant)
        return self._rendered[variant.hash]

    def rendered_on(self, variant: LiveVariant, configuration: Configuration) -> Variant | None:
        """Return a running variant in another configuration, with all else that is pinned in its record.

        ``None``: what it was made from is unknown, or is about to be replaced because of the user's edit.
        """
        rendered = self.rendered_again(variant)
        if variant.record is None or rendered is None or rendered.hash != variant.hash:
            return None
        products = self._products_on(configuration)
        record = replace(variant.record, configuration=configuration, product_labels=products)
        return self._render(f"{variant.hash} on {configuration.capacity_type}", record)

    def _products_on(self, configuration: Configuration) -> ProductLabels:
        nodes = (node.labels for node in self.snapshot.capacity.nodes)
        return products_on(nodes, accelerators()[configuration.accelerator])

    def _render_again(self, variant: LiveVariant) -> Variant | None:
        return None if variant.record is None else self._render(variant.hash, variant.record)

    def _render(self, name: str, record: Record) -> Variant | None:
        settings = self.snapshot.policy.spec.engine
        try:
            inputs = record.inputs(self.snapshot.policy)
        except EngineError:
            return None
        if settings.version or settings.image:
            inputs = replace(inputs, engine=self.inputs.engine, image=self.inputs.image)
        return self.snapshot.renderings.of(name, inputs)


def _allowing(spec: CostPolicySpec, accelerator: str, capacity_type: CapacityType) -> CostPolicySpec:
    """Return a spec that allows these accelerators and no others."""
    own = {"accelerators": (accelerator,), "capacity_types": (capacity_type,)}
    return spec.model_copy(update={"hardware": spec.hardware.model_copy(update=own)})


def look_ahead(snapshot: Snapshot, inputs: Inputs, now: datetime) -> Outlook:
    """Plan for a policy as the world is now."""
    policy = snapshot.policy
    stable = snapshot.live.stable
    spending = spending_of(snapshot, now)
    examiner = Examiner.of(snapshot)
    found = findings(snapshot, examiner)
    read, window = snapshot.evaluations, snapshot.rate_window
    pods = snapshot.capacity.pods_of(policy.metadata.namespace, policy.metadata.name)
    observed = without_evaluations(snapshot.observed, read, window, now)
    if isinstance(observed, PolicyObservation):
        observed = with_unscraped(observed, scrapable(pods, now, window))
    load = demands(policy.spec, observed, sum(variant.ready for variant in snapshot.live.variants))
    load = replace(load, doubtful=load.doubtful or disturbs(read, window, now))
    request = PlanRequest(
        spec=policy.spec,
        architecture=inputs.architecture,
        source_format=inputs.source_format,
        demand=load.planning,
        supplies=snapshot.capacity.supplies(
            snapshot.prices.offerings, (policy.metadata.namespace, policy.metadata.name)
        ),
        engine=inputs.engine,
        running=stable.configuration if stable else None,
        currency=snapshot.prices.currency,
        ceiling=spending.ceiling,
    )
    request = replace(request, refused=refused_answers(found.quality))
    request = replace(request, acceptance=acceptance_of_proposers(request, snapshot.observed))
    request = replace(request, calibration=calibration_book(request, stable, snapshot.observed))
    known = snapshot.planned
    planned = known if known is not None and known.request == request else _planned(request, known)
    scaling = policy.spec.scaling
    default = Bounds(minimum=scaling.min_replicas, maximum=scaling.max_replicas)
    return Outlook(
        snapshot=snapshot,
        inputs=inputs,
        demands=load,
        planned=planned,
        plan=with_remedy(planned.plan, snapshot.prices.problems),
        bounds=replica_bounds(scaling.schedules, default, now),
        spending=spending,
        examiner=examiner,
        findings=found,
    )


def _planned(request: PlanRequest, before: Planned | None) -> Planned:
    """Return the plan without its candidates, and nothing of the search for it: it is kept until the next one."""
    return Planned(
        request=request,
        plan=replace(plan(request), candidates=()),
        evaluation=Evaluation(request),
        replans=before.replans if before else None,
    )
