"""The reconciler: gather, decide, carry out, for one policy at a time.  Nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.types import RolloutMode
from costpolicy.api.validation import Problem
from costpolicy.clock import Clock
from costpolicy.kube.errors import Forbidden, GatewayError, Invalid, NameTaken
from costpolicy.kube.gateway import Gateway, NamespacedName, Object, Unreadable, reference_of
from costpolicy.kube.kinds import AUTOSCALERS, POD_MONITOR
from costpolicy.reconcile.actions import carry_out
from costpolicy.reconcile.answer import unreadable_answer
from costpolicy.reconcile.changing import Changing
from costpolicy.reconcile.decide import decide
from costpolicy.reconcile.decision import Decision
from costpolicy.reconcile.evaluations import Evaluations
from costpolicy.reconcile.fleet import Fleet, FleetWatch
from costpolicy.reconcile.inputs import name_conflict, read_inputs
from costpolicy.reconcile.live import live_of
from costpolicy.reconcile.renderings import Renderings
from costpolicy.reconcile.snapshot import MetricsDown, Planned, Scalers, Snapshot
from costpolicy.reconcile.targets import UNSEEN, Advised, advised
from costpolicy.units import parse_duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The operator's own settings where a policy leaves a choice."""

    mode: RolloutMode = RolloutMode.INITIAL
    allow_host_access: bool = False
    most_changing: int = 3
    """Policies that may change to a better plan at the same time; edits of users do not wait for others."""
    prometheus_url: str = ""
    """What KEDA is told to ask."""
    prometheus_matchers: str = ""
    evaluator_image: str = ""
    """The operator's own image, which asks prompts; empty: what can alter answers is only recommended."""


class Reconciler:
    """Brings one policy at a time closer to what it promises."""

    def __init__(
        self,
        gateway: Gateway,
        fleet: FleetWatch,
        clock: Clock,
        defaults: Defaults,
        decided: Callable[[Decision], None] = lambda _: None,
    ) -> None:
        self._gateway = gateway
        self._fleet = fleet
        self._clock = clock
        self._defaults = defaults
        self._decided = decided
        self._planned: dict[tuple[str, str], Planned | None] = {}
        self._renderings: dict[tuple[str, str], Renderings] = {}
        self._changing = Changing()
        self._evaluations = Evaluations(gateway)

    def reconcile(self, namespace: str, name: str) -> timedelta | None:
        """Decide about one policy and carry it out; return when to look again, ``None`` when it is gone.

        Raises:
            GatewayError: the API server refused or could not be reached; the same call may simply be repeated.
        """
        policy = self._gateway.policy(namespace, name)
        if isinstance(policy, Unreadable):
            live = live_of(self._gateway.owned(namespace, name), (), name)
            status = unreadable_answer(policy.generation, policy.message, live)
            self._gateway.apply_status(policy.ref, status.to_json())
            return None
        if policy is None or policy.metadata.deletion_timestamp is not None:
            self._planned.pop((namespace, name), None)
            self._evaluations.forget(namespace, name)
            self._renderings.pop((namespace, name), None)
            self._changing.forget(policy.key if policy else f"{namespace}/{name}")
            return None
        ref = reference_of(policy)
        fleet = self._fleet.look_for(policy)
        with self._changing.one_at_a_time:
            snapshot = self.gather(policy, fleet)
            decision = decide(snapshot, self._clock.now())
            self._changing.note(policy.key, decision.status)
        self._planned[namespace, name] = decision.planned
        try:
            carry_out(decision, ref, self._gateway)
        except (NameTaken, Forbidden, Invalid) as error:
            decision = self._refuse(snapshot, Problem(reason=reason_of(error), message=str(error)))
            carry_out(decision, ref, self._gateway)
        if snapshot.ledger is not None:
            fleet.ledgers.decided(namespace, name, snapshot.ledger)
        self._decided(decision)
        return decision.look_again

    def gather(self, policy: CostPolicy, fleet: Fleet) -> Snapshot:
        """Return everything that a decision about a policy depends on."""
        namespace, name = policy.metadata.namespace, policy.metadata.name
        owned = self._gateway.owned(namespace, name)
        observations = fleet.observations
        seen = self._seen(policy, fleet, owned)
        inputs = name_conflict(policy, fleet.policies) or self._currency_problem(policy, fleet) or seen.inputs
        policy, live = seen.policy, seen.live
        return Snapshot(
            policy=policy,
            mode=policy.spec.rollout.mode or self._default_mode(policy),
            inputs=inputs,
            live=live,
            owned=owned,
            prices=fleet.prices,
            capacity=fleet.capacity,
            observed=observations if isinstance(observations, MetricsDown) else observations.of(namespace, name),
            pod_monitor=self._gateway.serves(POD_MONITOR.api_version, POD_MONITOR.kind),
            scaling=Scalers(
                autoscalers=fleet.autoscalers_of(namespace, (name, *(each.ref.name for each in live.variants))),
                served=frozenset(kind for kind in AUTOSCALERS if self._gateway.serves(kind.api_version, kind.kind)),
                prometheus_url=self._defaults.prometheus_url,
                prometheus_matchers=self._defaults.prometheus_matchers,
            ),
            others_changing=self._changing.beside(policy.key, fleet) >= self._defaults.most_changing,
            caveat=fleet.caveat(parse_duration(policy.spec.measurement.window)),
            evaluations=self._evaluations.of(namespace, name, owned),
            rate_window=fleet.rate_window,
            evaluator_image=self._defaults.evaluator_image,
            planned=self._planned.get((namespace, name)),
            routes=fleet.routes.get(NamespacedName(namespace, name), ()),
            ledger=fleet.ledgers.of(namespace, name),
            renderings=self._renderings.setdefault((namespace, name), Renderings()),
        )

    def _seen(self, policy: CostPolicy, fleet: Fleet, owned: tuple[Object, ...]) -> Advised:
        """Return what runs of a policy, or what runs of somebody else's that it advises on."""
        namespace, name = policy.metadata.namespace, policy.metadata.name
        if policy.spec.target_ref is not None:
            found = fleet.targets.get(NamespacedName(namespace, policy.spec.target_ref.name), UNSEEN)
            return advised(policy, found, fleet.around)
        return Advised(
            policy=policy,
            inputs=read_inputs(policy, allow_host_access=self._defaults.allow_host_access),
            live=live_of(owned, fleet.capacity.pods_of(namespace, name), name),
        )

    def _default_mode(self, policy: CostPolicy) -> RolloutMode:
        return RolloutMode.RECOMMEND if policy.spec.target_ref else self._defaults.mode

    def _refuse(self, snapshot: Snapshot, problem: Problem) -> Decision:
        """Decide again with the problem that only writing could show: status only."""
        return decide(replace(snapshot, inputs=problem), self._clock.now())

    @staticmethod
    def _currency_problem(policy: CostPolicy, fleet: Fleet) -> Problem | None:
        budget, currency = policy.spec.budget, fleet.prices.currency
        if budget is None or not budget.currency or not currency or budget.currency == currency:
            return None
        return Problem(
            reason=Reason.CURRENCY_MISMATCH,
            message=f"spec.budget.currency is {budget.currency}, the price books are in {currency}: state the budget in {currency}",
        )


def reason_of(error: GatewayError) -> Reason:
    """Return the reason of an object that the API server refuses for good."""
    match error:
        case NameTaken():
            return Reason.NAME_TAKEN
        case Forbidden():
            return Reason.FORBIDDEN
        case _:
            return Reason.INVALID_POLICY
