"""Whether a plan speculates: the modes, who may propose, and what is said about it.

Covered: Auto only where inter-token latency would be missed, orders, Disabled, methods that cannot be predicted or
started, reasons, observed acceptance.  Not covered: what it does to a step (tests/unit/perf/test_speculation.py), whole plans
(tests/golden/plans/speculation-*.yaml).
"""

from dataclasses import replace
from typing import Any

import pytest

from asking import candidate, offered, request
from costpolicy.perf.acceptance import ObservedAcceptance
from costpolicy.perf.latency import Binding
from costpolicy.planning.configuration import Proposer
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.plan import Plan, Target, Verdict
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest, limits_of
from costpolicy.planning.sizing import size

EAGLE = {"method": "eagle", "model": "example/eagle-head"}
PROPOSER = Proposer(method="eagle", tokens=3, model="example/eagle-head")


def asked(
    technique: dict[str, Any], latency: str | None = "38ms", rate: float = 0.5, *names: str, **spec: Any
) -> PlanRequest:
    promised = {} if latency is None else {"interTokenLatency": {"p95": latency}}
    return request(
        offered(*(names or ("nvidia-a10g", "nvidia-l40s", "nvidia-h100-80gb"))),
        **{
            "model": {"contextLength": 8192},
            "objectives": {"ttft": {"p95": "2s"}, **promised},
            "traffic": {"requestsPerSecond": rate, "promptTokens": 500, "outputTokens": 250},
            "techniques": {"speculativeDecoding": technique, "quantization": {"mode": "Disabled"}},
            "scaling": {"maxReplicas": 100},
            **spec,
        },
    )


def proposer(answer: Plan) -> Proposer | None:
    assert answer.target is not None, answer.infeasible
    return answer.target.configuration.proposer


def test_auto_speculates_where_inter_token_latency_would_be_missed_and_says_so():
    answer = plan(asked(EAGLE))

    assert answer.target is not None
    assert ("nvidia-a10g", PROPOSER) == (answer.target.configuration.accelerator, proposer(answer))
    (told,) = answer.settings
    assert "without it the inter-token latency would be missed" in told
    assert "1.72 tokens a step at an acceptance of 0.44" in told
    assert "p95 of 35.6 ms into 28.0 ms" in told


def test_the_same_without_speculation_keeps_its_reason():
    asking = asked(EAGLE, "30ms", 0.05, "nvidia-a10g")
    plain = candidate(plan(asking), "nvidia-a10g", tensor_parallel_size=1, proposer=None)
    alone = candidate(plan(asked({"mode": "Disabled"}, "30ms", 0.05, "nvidia-a10g")), "nvidia-a10g")

    assert "ObjectiveUnreachable" == plain.reason
    assert (alone.reason, alone.message) == (plain.reason, plain.message)
    assert "inter-token latency p95 of 30 ms is out of reach" in plain.message


def test_what_is_chosen_is_faster_at_its_load_than_the_same_without():
    asking = asked(EAGLE)
    target = plan(asking).target
    assert target is not None
    evaluation = Evaluation(asking)
    accelerator = next(
        one.offering.accelerator
        for one in asking.supplies
        if one.offering.accelerator.name == target.configuration.accelerator
    )
    rate = asking.demand.requests_per_second / target.replicas
    plain = evaluation.replica(replace(target.configuration, proposer=None), accelerator)

    assert Binding.INTER_TOKEN is plain.shortfall(rate)
    assert evaluation.replica(target.configuration, accelerator).shortfall(rate) is None


@pytest.mark.parametrize(
    ("inter_token", "rate"),
    [("60ms", 0.5), (None, 0.5), ("38ms", 30.0)],
    ids=["kept-without", "not-promised", "large-batches"],
)
def test_auto_does_not_speculate_where_it_is_not_called_for(inter_token: str | None, rate: float):
    auto, disabled = plan(asked(EAGLE, inter_token, rate)), plan(asked({"mode": "Disabled"}, inter_token, rate))

    assert auto.target == disabled.target
    assert proposer(auto) is None


def test_auto_does_not_buy_throughput_with_it():
    """Fewer accelerators would do with it, but it is not inter-token latency that they would miss without."""
    answer = plan(asked(EAGLE, "900ms", 60.0, "nvidia-a10g"))
    refused = [one for one in answer.candidates if one.reason == "SpeculationNotNeeded"]

    assert proposer(answer) is None
    assert refused
    assert all(one.verdict is Verdict.REJECTED and "mode Enabled orders it" in one.message for one in refused)


def test_auto_without_a_method_does_not_promise_what_n_grams_cannot_keep():
    """The slowest requests gain nothing from n-grams, and a promise of p95 is one for them."""
    answer = plan(asked({"mode": "Auto"}))

    assert proposer(answer) is None
    assert not any(one.configuration.proposer for one in answer.candidates)


@pytest.mark.parametrize(
    "technique",
    [{"method": "mtp"}, {"method": "draft_model", "model": "example/unknown"}, {"method": "eagle"}],
    ids=["not-published", "draft-not-in-the-catalogue", "no-model"],
)
def test_auto_leaves_what_it_cannot_predict_or_start(technique: dict[str, Any]):
    assert not any(one.configuration.proposer for one in plan(asked(technique)).candidates)


@pytest.mark.parametrize("technique", [EAGLE, {"method": "ngram"}, {"tokens": 2}, {"method": "mtp"}])
@pytest.mark.parametrize("inter_token", ["90ms", None])
def test_an_order_is_always_carried_out(technique: dict[str, Any], inter_token: str | None):
    answer = plan(asked({"mode": "Enabled", **technique}, inter_token))
    expected = Proposer(
        method=technique.get("method", "ngram"), tokens=technique.get("tokens", 3), model=technique.get("model")
    )

    assert expected == proposer(answer)
    assert {expected} == {one.configuration.proposer for one in answer.candidates}
    assert "ordered by the policy" in answer.settings[-1]


def test_an_order_that_cannot_be_predicted_is_told_as_such():
    ordered = plan(asked({"mode": "Enabled", "method": "mtp"}, "90ms"))
    plain = plan(asked({"mode": "Disabled"}, "90ms"))

    assert ordered.target is not None
    assert plain.target is not None
    assert plain.target.predicted == ordered.target.predicted
    assert "nobody published how often tokens of mtp are accepted" in ordered.settings[-1]
    assert "the figures are those without it" in ordered.settings[-1]


def test_an_order_that_does_not_help_makes_the_plan_slower():
    ordered = plan(asked({"mode": "Enabled", "method": "ngram"}, "90ms")).target
    plain = plan(asked({"mode": "Disabled"}, "90ms")).target

    assert ordered is not None
    assert plain is not None
    assert ordered.predicted.inter_token.p95 > plain.predicted.inter_token.p95


def test_permission_without_a_value_is_no_order():
    assert plan(asked({"mode": "Enabled"})).target == plan(asked({"mode": "Auto"})).target


@pytest.mark.parametrize("inter_token", ["38ms", "90ms"])
def test_disabled_never_speculates(inter_token: str):
    answer = plan(asked({"mode": "Disabled", **EAGLE}, inter_token))

    assert not any(one.configuration.proposer for one in answer.candidates)


@pytest.mark.parametrize(
    ("technique", "version", "says"),
    [
        ({"method": "eagle"}, "0.32", "eagle needs a model that proposes"),
        ({"method": "medusa", "model": "example/heads"}, "0.33", "vLLM 0.33.0 has no method medusa"),
        ({"model": "example/drafter"}, "0.32", "say how example/drafter proposes tokens"),
    ],
)
def test_an_order_that_the_engine_would_die_of_is_infeasible(technique: dict[str, Any], version: str, says: str):
    answer = plan(asked({"mode": "Enabled", **technique}, version=version))

    assert answer.target is None
    assert answer.infeasible is not None
    assert "MethodUnsupported" == answer.infeasible.reason
    assert says in answer.infeasible.message


def test_a_known_draft_model_is_predicted_and_one_of_another_vocabulary_is_not():
    def planned(draft: str) -> Plan:
        technique = {"mode": "Enabled", "method": "draft_model", "model": draft}
        model = {
            "name": "llama-70b",
            "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-70B"}},
            "contextLength": 4096,
        }
        return plan(asked(technique, "200ms", 0.2, "nvidia-h100-80gb", model=model))

    known, other = planned("meta-llama/Llama-3.1-8B-Instruct"), planned("Qwen/Qwen3-8B")

    assert "tokens a step at an acceptance of 0.32" in known.settings[-1]
    assert "Qwen/Qwen3-8B has another vocabulary" in other.settings[-1]


def test_what_speculates_already_goes_on_while_it_is_needed():
    first = plan(asked(EAGLE)).target
    assert first is not None

    assert first.configuration == plan(replace(asked(EAGLE), running=first.configuration)).target.configuration  # type: ignore[union-attr]
    relaxed = plan(replace(asked(EAGLE, "60ms"), running=first.configuration))
    assert proposer(relaxed) is None


def test_a_draft_model_is_split_as_the_model_that_verifies():
    technique = {"mode": "Enabled", "method": "draft_model", "model": "Qwen/Qwen2.5-7B-Instruct"}
    source = {"huggingFace": {"repository": "Qwen/Qwen2.5-72B-Instruct"}}
    model = {"name": "qwen-72b", "source": source, "contextLength": 4096}
    answer = plan(asked(technique, "200ms", 0.2, "nvidia-a10g", model=model))  # on fewer than eight it does not fit
    eight = candidate(answer, "nvidia-a10g", tensor_parallel_size=8)

    assert "TensorParallelShape" == eight.reason
    assert "28 attention heads of Qwen/Qwen2.5-7B-Instruct cannot be split 8 ways" in eight.message


def observed(counted: float) -> ObservedAcceptance:
    return ObservedAcceptance(
        counted=counted,
        mean=counted / 0.7,
        lowest=counted / 0.71,
        tokens_per_step=2.0,
        accepted_share=0.4,
        steps=1e6,
        hours=12,
    )


def test_what_was_observed_takes_the_place_of_what_was_published_and_is_told():
    answer = plan(replace(asked(EAGLE), acceptance={PROPOSER: observed(0.5)}))

    assert PROPOSER == proposer(answer)
    (told,) = answer.settings
    assert "1.88 tokens a step at an acceptance of 0.5, that of the slowest requests of this deployment" in told
    assert "by 12 hour(s) of 1,000,000 steps" in told


def test_where_little_is_accepted_nothing_is_proposed():
    answer = plan(replace(asked(EAGLE), acceptance={PROPOSER: observed(0.02)}))

    assert not any(one.configuration.proposer for one in answer.candidates)
    assert answer.target == plan(asked({"mode": "Disabled"})).target


def test_what_was_observed_of_another_proposer_says_nothing():
    other = replace(PROPOSER, model="example/other-head")

    assert plan(asked(EAGLE)).target == plan(replace(asked(EAGLE), acceptance={other: observed(0.02)})).target


def test_of_what_speculates_no_more_is_counted_on_than_it_would_carry_without_an_inter_token_objective():
    asking = replace(asked(EAGLE, "50ms", 20.0, "nvidia-l40s"), acceptance={PROPOSER: observed(0.9)})
    target = plan(asking).target
    assert target is not None
    assert PROPOSER == target.configuration.proposer
    unhurried = plan(asked({"mode": "Disabled"}, None, 20.0, "nvidia-l40s")).target

    assert unhurried is not None
    assert target.replicas >= unhurried.replicas
    sized = size(asking, target.configuration, limits_of(asking))
    assert isinstance(sized, Target)
    assert (target.replicas, target.capacity_per_replica) == (sized.replicas, sized.capacity_per_replica)
