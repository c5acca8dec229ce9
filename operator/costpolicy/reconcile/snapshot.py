"""Everything that one decision depends on: equal snapshots and times get equal decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.types import RolloutMode
from costpolicy.api.validation import Problem
from costpolicy.catalog.prices import PriceList
from costpolicy.kube.autoscaler import Autoscaler
from costpolicy.kube.gateway import Object
from costpolicy.kube.kinds import Kind
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import Missing
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.plan import Plan
from costpolicy.planning.request import PlanRequest
from costpolicy.reconcile.evaluations import Examination
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.ledgers import Ledger
from costpolicy.reconcile.live import Live
from costpolicy.reconcile.renderings import Renderings
from costpolicy.reconcile.supply import Capacity
from costpolicy.savings.playbook.facts import Routed
from costpolicy.savings.playbook.replans import Replans


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsDown:
    """Prometheus could not be asked: why, and what to do."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A question to the planner and its answer.  Equal questions have equal answers: it need not be asked twice.

    ``evaluation`` remembers what the performance model said of what runs, each time that is sized for another load;
    ``replans`` are the plans that the playbook compares, as far as they were made.
    """

    request: PlanRequest
    plan: Plan
    evaluation: Evaluation = field(compare=False, repr=False)
    replans: Replans | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalers:
    """What else than the operator can follow the load here.

    Attributes:
        autoscalers: those of the policy's namespace, whosever they are.
        served: kinds of autoscalers that the cluster has.
        prometheus_url: root of the API that KEDA is told to ask; empty: none is configured.
        prometheus_matchers: label matchers for each selector.
    """

    autoscalers: tuple[Autoscaler, ...] = ()
    served: frozenset[Kind] = frozenset()
    prometheus_url: str = ""
    prometheus_matchers: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One policy and the world as it concerns it.

    Attributes:
        mode: the policy's, or the operator's default.
        observed: what its engines' metrics say, or why they cannot be read.
        owned: its children as stored.
        pod_monitor: the cluster has the kind PodMonitor.
        scaling: what else than the operator can follow the load.
        others_changing: as many other policies change their configuration now as may do so at the same time.
        caveat: what limits the metrics of every policy (rules not loaded, retention too short), if anything.
        evaluations: what Jobs that ask prompts do and have found, by their names.
        evaluator_image: the operator's own image, which asks them; empty: not known, and nothing is asked.
        rate_window: over which the rates in ``observed`` are means.
        planned: what the planner was asked last about this policy; it only saves work, and may always be missing.
        ledger: hours that its savings are measured on, where they were read since they were decided on last.
        renderings: the same of what was rendered of its variants.
        routes: by which its engines are reached, where that is through a router.
    """

    policy: CostPolicy
    mode: RolloutMode
    inputs: Inputs | Problem
    live: Live
    owned: tuple[Object, ...]
    prices: PriceList
    capacity: Capacity
    observed: PolicyObservation | MetricsDown
    pod_monitor: bool
    scaling: Scalers = field(default_factory=Scalers)
    others_changing: bool = False
    caveat: Missing | None = None
    evaluations: Mapping[str, Examination] = field(default_factory=dict)
    evaluator_image: str = ""
    rate_window: timedelta = timedelta(minutes=5)
    planned: Planned | None = None
    ledger: Ledger | None = None
    renderings: Renderings = field(default_factory=Renderings, compare=False, repr=False)
    routes: tuple[Routed, ...] = ()
