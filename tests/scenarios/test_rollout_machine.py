"""Whatever happens to a policy in Auto, in any order: prices, load, slow engines, outages, edits, the user's word, restarts.

Covered: one experiment at a time, promotion only with evidence, somebody always serves, every change ends, and the user's
word ends it from every state; with the quality gate, that clients get no answers that were not shown to be no worse.
Not covered: killed processes (tests/faults).
"""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from costpolicy.api.reasons import Reason
from costpolicy.kube.gateway import VARIANT_LABEL, ObjectRef
from costpolicy.kube.kinds import SERVICE
from costpolicy.manifests.record import read_record
from costpolicy.simulation import world as simulated
from costpolicy.simulation.engine import profile
from costpolicy.simulation.examination import Effect, Exam
from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from stories import (
    BUSY,
    FP8,
    GATED,
    H100,
    HOUR,
    KEY,
    MINUTE,
    QUARTER,
    QUESTIONS,
    annotate,
    chat,
    deployments,
    examined,
    prices,
    ready_behind_the_service,
    runs_on,
    serving,
)

ROLLOUT = {"mode": "Auto", "cooldown": "10m", "canary": {"duration": "10m"}}
UNDER_WAY = ("Surging", "Evaluating", "Sharing", "Replacing")
EXAM = Exam(prompts=150, seconds=4.0)


class Rollouts(RuleBasedStateMachine):
    """A policy, its world, and what was seen of its changes."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = pytest.MonkeyPatch()
        self.slow = False
        self.shown = 0
        self.promoted = 0

    @initialize()
    def begin(self) -> None:
        def slower(model, accelerator, *others):
            found = profile(model, accelerator, *others)
            late = self.slow and accelerator.name == H100
            return replace(found, prefill_rate=found.prefill_rate / 20) if late else found

        self.patches.setattr(simulated, "profile", slower)
        self.made = self.world()

    def world(self) -> World:
        return serving(rollout=ROLLOUT)

    def spec(self) -> dict:
        """The policy's own fields; an edit adds to them."""
        return {"rollout": ROLLOUT}

    def pass_time(self, minutes: int) -> None:
        for _ in range(minutes):
            before = self.rollout()
            self.made.run(MINUTE)
            self.note(before, self.rollout())

    def note(self, before: dict, after: dict) -> None:
        """Never two experiments, and evidence before every promotion of a better plan."""
        if before["phase"] == "Sharing" and after["phase"] == "Sharing" and after["toVariant"] == before["toVariant"]:
            self.shown += 1
        history = len(self.made.status(*KEY).get("history", ()))
        receipts = self.made.status(*KEY)["history"][: max(history - self.promoted, 0)] if history else []
        for receipt in receipts:
            edited = receipt["change"] == "the policy was edited"
            assert edited or ("kept its objectives" in receipt["proof"] and self.shown >= 10), (receipt, self.shown)
            self.shown = 0
        self.promoted = history
        if after["phase"] not in UNDER_WAY:
            self.shown = 0

    def rollout(self) -> dict:
        return self.made.status(*KEY)["rollout"]

    @rule(h100=st.sampled_from(["0.50", "1.20", "4.50", "9.00"]))
    def prices_change(self, h100: str) -> None:
        self.made.apply(prices(h100=h100))
        self.pass_time(10)

    @rule(rate=st.sampled_from([0.5, 2.0, 6.0]))
    def load_changes(self, rate: float) -> None:
        self.made.traffic[KEY] = Traffic(curve=Constant(rate))
        self.pass_time(10)

    @rule()
    def engines_turn_slow_or_fast(self) -> None:
        self.slow = not self.slow
        self.pass_time(10)

    @rule()
    def prometheus_goes_or_comes_back(self) -> None:
        here = self.made.metrics.outage is None
        self.made.metrics.outage = Reason.PROMETHEUS_UNREACHABLE if here else None
        self.pass_time(10)

    @rule(value=st.sampled_from(["a", "b"]))
    def the_user_edits(self, value: str) -> None:
        self.made.apply(chat(**self.spec(), engine={"env": [{"name": "SETTING", "value": value}]}))
        self.pass_time(10)

    @rule()
    def the_user_takes_it_back(self) -> None:
        annotate(self.made, rollback="now")
        self.pass_time(2)
        rollout = self.rollout()
        assert rollout["phase"] not in UNDER_WAY or rollout["trigger"] == "SpecChange"
        annotate(self.made, rollback=None)

    @rule()
    def the_operator_starts_anew(self) -> None:
        self.made.restart_operator()
        self.pass_time(1)

    @rule(minutes=st.sampled_from([5, 20, 40]))
    def time_passes(self, minutes: int) -> None:
        self.pass_time(minutes)

    @invariant()
    def somebody_serves_and_at_most_one_other_is_tried(self) -> None:
        if hasattr(self, "made"):
            assert 1 <= ready_behind_the_service(self.made)
            assert 2 >= len(runs_on(self.made))

    def teardown(self) -> None:
        """Once the metrics are back, every change ends within a day and a bit."""
        if hasattr(self, "made"):
            self.made.metrics.outage = None
            for _ in range(27):
                if self.rollout()["phase"] not in UNDER_WAY:
                    break
                self.made.run(HOUR, 5 * MINUTE)
            assert self.rollout()["phase"] not in UNDER_WAY
        self.patches.undo()


class GatedRollouts(Rollouts):
    """The same with FP8 weights to be had through the quality gate; what they cost in answers changes."""

    def world(self) -> World:
        made = examined(EXAM, 4.0, prices(), **self.spec())
        made.run(QUARTER)
        return made

    def spec(self) -> dict:
        quality = {"maxLoss": "5%", "evaluation": {"prompts": QUESTIONS}}
        return {
            "rollout": ROLLOUT,
            "techniques": GATED,
            "traffic": {**BUSY, "requestsPerSecond": 4},
            "quality": quality,
        }

    def note(self, before: dict, after: dict) -> None:
        super().note(before, after)
        history = self.made.status(*KEY).get("history", ())
        for receipt in history[:1]:
            altered = "fp8" in receipt["after"] and "fp8" not in receipt["before"]
            assert not altered or "prompts lost" in receipt["proof"], receipt
        self.only_proven_answers_reach_clients()

    def only_proven_answers_reach_clients(self) -> None:
        ref = ObjectRef(api_version=SERVICE.api_version, kind=SERVICE.kind, name=KEY[1], namespace=KEY[0])
        service = self.made.store.get(ref)
        chosen = service["spec"]["selector"].get(VARIANT_LABEL) if service else None
        behind = {
            record.configuration.weights.value
            for item in deployments(self.made)
            if chosen in (None, item["metadata"]["labels"][VARIANT_LABEL]) and (record := read_record(item))
        }
        proven = {one["weights"] for one in self.made.status(*KEY).get("quality", {}).get("proven", ())}
        assert behind <= {"bf16"} | proven, (behind, proven)

    @rule(loss=st.sampled_from([0.0, 0.05, 0.2]))
    def engines_answer_better_or_worse(self, loss: float) -> None:
        effect = Effect(discordance=loss, loss=loss)
        self.made.exams["default", "questions"] = replace(EXAM, effects={FP8: effect}, edition=f"with {loss}")
        self.pass_time(10)

    @rule(said=st.sampled_from(["", "no answer"]))
    def evaluations_fail_or_do_not(self, said: str) -> None:
        self.made.exams["default", "questions"] = replace(EXAM, failing=said)
        self.pass_time(10)


Rollouts.TestCase.settings = settings(settings(), stateful_step_count=12)
TestRollouts = Rollouts.TestCase
GatedRollouts.TestCase.settings = settings(settings(), stateful_step_count=12)
TestGatedRollouts = GatedRollouts.TestCase
