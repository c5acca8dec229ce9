"""A policy whose better plan can alter answers, and Jobs that end as a test says."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from costpolicy.api.types import JudgeType
from costpolicy.manifests.evaluation_job import PAUSE_KEY, contest_of
from costpolicy.manifests.record import read_record
from costpolicy.observe.latency import Tail
from costpolicy.quality.result import Arm, EvaluationResult
from costpolicy.reconcile.evaluations import Asked, Failed
from staging import Stage

TRAFFIC = {"requestsPerSecond": 5, "promptTokens": 1000, "outputTokens": 250}
AUTO = {"mode": "Auto", "cooldown": "0s", "canary": {"duration": "0s"}}
PLAIN = {name: {"mode": "Disabled"} for name in ("kvCacheQuantization", "batching")}
PROMPTS = {"prompts": {"configMapRef": {"name": "questions"}}}
SAME, SOME, MANY, DOUBTFUL = (0, 0), (3, 3), (60, 2), (20, 12)
"""Pairs lost and gained, of 400."""


@dataclass
class Gate:
    """A policy in Auto that serves bf16 weights on two L40S, where one with FP8 weights would do."""

    stage: Stage

    def settle(self, minutes: int = 8) -> None:
        """Decide until nothing changes, everything ready."""
        for _ in range(minutes):
            self.stage.all_ready()
            self.stage.step()

    def end(self, pairs: tuple[int, int] = SAME, prompts: int = 400, digest: str = "first", took: int = 600) -> None:
        """The Job that still asks has asked everything."""
        [name] = [one for one in self.stage.jobs() if one not in self.stage.evaluations]
        lost, gained = pairs
        result = EvaluationResult(
            prompts_digest=digest,
            judge=JudgeType.EXACT,
            both_right=int(prompts * 0.9) - lost,
            lost=lost,
            gained=gained,
            both_wrong=prompts - int(prompts * 0.9) - gained,
            identical=prompts - lost - gained,
            baseline=Arm(),
            canary=Arm(),
        )
        self._over(name)
        now = self.stage.now
        self.stage.evaluations[name] = Asked(
            contest=contest_of(self.stage.children["Job", name]),
            result=result,
            began=now - timedelta(seconds=took),
            ended=now,
        )

    def fail(self, message: str = "line 7: not JSON") -> None:
        """The Job that still asks has given up."""
        [name] = [one for one in self.stage.jobs() if one not in self.stage.evaluations]
        self._over(name)
        self.stage.evaluations[name] = Failed(message=message, ended=self.stage.now)

    def _over(self, name: str) -> None:
        self.stage.children["Job", name]["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}

    def formats(self) -> list[str]:
        """Formats of the weights of what runs, oldest first."""
        records = [read_record(item) for item in self.stage.deployments()]
        return [record.configuration.weights.value for record in records if record is not None]

    def shares(self) -> bool:
        """Whether the policy's Service sends clients to more than what serves."""
        return self.stage.serving() is None

    @property
    def blocked(self) -> tuple[str, str]:
        return self.stage.condition("RolloutBlocked")

    def message(self, kind: str = "RolloutBlocked") -> str:
        return next(one.message for one in self.stage.status().conditions if one.type == kind)


def spec(**changes: Any) -> dict[str, Any]:
    techniques = {**PLAIN, "quantization": {"mode": "Auto", "formats": ["fp8"]}}
    return {
        "traffic": TRAFFIC,
        "rollout": AUTO,
        "techniques": techniques,
        "quality": {"maxLoss": "2%", "evaluation": PROMPTS},
        **changes,
    }


def contested(gate: Gate, pairs: tuple[int, int], digest: str = "first") -> None:
    gate.end()
    gate.settle(4)
    gate.end(pairs, digest=digest)
    gate.settle(2)


def slow(gate: Gate, seconds: float) -> None:
    """What serves answers with that p95 of the time to first token."""
    observed = gate.stage.observed
    variant = replace(
        observed.variants[0],
        variant=gate.stage.deployments()[0]["metadata"]["labels"]["costpolicy.dev/variant"],
        ttft=Tail(value=seconds, lower=seconds, upper=seconds),
    )
    gate.stage.observed = replace(observed, variants=(variant,))


def pause(gate: Gate) -> str | None:
    [job] = gate.stage.jobs()
    found: str | None = (gate.stage.children["ConfigMap", job].get("data") or {}).get(PAUSE_KEY)
    return found
