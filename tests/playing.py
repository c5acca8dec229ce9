"""One policy decided again and again, so that its playbook becomes whole."""

from dataclasses import replace
from datetime import timedelta

from costpolicy.api.status import CostPolicyStatus
from costpolicy.reconcile.decide import decide
from costpolicy.reconcile.snapshot import Planned
from costpolicy.savings.playbook.replans import Case
from staging import Stage


class Cycles:
    """Decides with what was planned before, as the reconciler does; nothing is applied but status."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.planned: Planned | None = None

    def step(self) -> CostPolicyStatus:
        decision = decide(replace(self.stage.snapshot(), planned=self.planned), self.stage.now)
        self.planned = decision.planned
        self.stage.policy = self.stage.policy.model_copy(update={"status": decision.status})
        self.stage.now += timedelta(minutes=5)
        return decision.status

    def until_whole(self) -> CostPolicyStatus:
        for _ in range(2 * len(Case)):
            status = self.step()
        return status
