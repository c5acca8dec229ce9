"""Settings of the engine that a plan departs with, each in a situation that asks for it, and where it must not.

Covered: more and fewer sequences, memory share, step budget, API processes, Disabled.
Not covered: that nothing better was missed (tests/properties/test_planner_properties.py).
"""

from dataclasses import replace
from typing import Any

import pytest

from asking import offered, request
from costpolicy.perf.latency import Binding
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import Option, options
from costpolicy.planning.plan import Plan
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.tuning import retuned

ENABLED = {"quantization": {"mode": "Enabled"}}


def asked(name: str, objectives: dict[str, str], rate: float, prompt: int, output: int, **spec: Any) -> PlanRequest:
    return request(
        offered(name),
        model={"contextLength": 8192},
        objectives={kind: {"p95": value} for kind, value in objectives.items()},
        traffic={"requestsPerSecond": rate, "promptTokens": prompt, "outputTokens": output},
        scaling={"maxReplicas": 100},
        **spec,
    )


def chosen(answer: Plan) -> Configuration:
    assert answer.target is not None
    return answer.target.configuration


def tried(asking: PlanRequest, held: Binding) -> list[Configuration]:
    """What is tried for the first option of a request when a limit holds it back."""
    evaluation = Evaluation(asking)
    first = next(options(asking, asking.supplies, evaluation, gate=False))
    return [option.configuration for option in retuned(asking, first, held, evaluation)]


def test_short_prompts_get_more_sequences_than_the_default_where_the_cache_holds_them():
    busy = asked("nvidia-a100-80gb", {"ttft": "2s", "interTokenLatency": "40ms"}, 200, 20, 200, techniques=ENABLED)
    answer = plan(busy)

    assert (chosen(answer).max_num_seqs or 0) > 256
    assert any("the KV cache holds more sequences than the default admits" in told for told in answer.settings)


def test_long_contexts_get_more_memory_on_an_accelerator_that_can_spare_it():
    answer = plan(
        asked("nvidia-h200", {"ttft": "2s", "interTokenLatency": "60ms"}, 100, 4000, 4000, techniques=ENABLED)
    )

    assert chosen(answer).gpu_memory_utilization == 0.95
    assert any("CUDA graphs" in told for told in answer.settings)


def test_an_accelerator_without_room_for_graphs_outside_keeps_its_default_share():
    assert {None} == {
        one.gpu_memory_utilization for one in tried(asked("nvidia-l4", {"ttft": "2s"}, 5, 4000, 4000), Binding.TTFT)
    }


def test_a_small_accelerator_gets_larger_steps_for_long_prompts():
    answer = plan(
        asked(
            "nvidia-t4",
            {"ttft": "3s", "interTokenLatency": "60ms"},
            2,
            4000,
            100,
            techniques={"quantization": {"mode": "Disabled"}},
        )
    )

    assert (chosen(answer).max_num_batched_tokens or 0) > 2048
    assert any("on fewer accelerators" in told for told in answer.settings)


def test_one_api_process_that_would_bind_becomes_four():
    answer = plan(asked("nvidia-h200", {"ttft": "300ms", "interTokenLatency": "25ms"}, 100, 1000, 1000))

    assert (chosen(answer).api_servers, chosen(answer).stream_interval) == (4, None)
    assert any("one API process would bind" in told for told in answer.settings)


def test_tokens_are_streamed_in_chunks_only_where_no_inter_token_latency_is_promised():
    promised, free = {"ttft": "2s", "interTokenLatency": "60ms"}, {"ttft": "2s"}

    assert {None} == {
        one.stream_interval for one in tried(asked("nvidia-h100-80gb", promised, 50, 300, 500), Binding.TTFT)
    }
    assert {None, 8} == {
        one.stream_interval for one in tried(asked("nvidia-h100-80gb", free, 50, 300, 500), Binding.TTFT)
    }


def test_fast_tokens_get_fewer_sequences_where_that_takes_fewer_accelerators():
    answer = plan(
        asked(
            "nvidia-l4",
            {"ttft": "20s", "interTokenLatency": "20ms"},
            12,
            100,
            1000,
            techniques={"quantization": {"mode": "Disabled"}},
        )
    )

    assert (chosen(answer).max_num_seqs or 1024) < 256
    assert any("the latency objective binds" in told for told in answer.settings)


def test_fewer_sequences_are_tried_only_against_inter_token_latency():
    busy = asked("nvidia-h100-80gb", {"ttft": "2s", "interTokenLatency": "20ms"}, 20, 1000, 300)

    fewer = [one.max_num_seqs for one in tried(busy, Binding.INTER_TOKEN) if one.max_num_seqs is not None]
    assert fewer
    assert max(fewer) < 1024
    for held in (Binding.TTFT, Binding.THROUGHPUT, Binding.KV_CACHE):
        assert not [one for one in tried(busy, held) if (one.max_num_seqs or 1024) < 1024]


@pytest.mark.parametrize(
    ("ordered", "held", "fewer"),
    [(None, Binding.INTER_TOKEN, {32}), (None, Binding.TTFT, set()), (64, Binding.INTER_TOKEN, set())],
    ids=["tokens come too late", "the first one does", "ordered"],
)
def test_fewer_sequences_that_are_still_too_many_are_halved(ordered: int | None, held: Binding, fewer: set[int]):
    promised = {"ttft": "20s", "interTokenLatency": "25ms"}
    batching = {} if ordered is None else {"maxNumSeqs": ordered}
    busy = asked("nvidia-h100-80gb", promised, 60, 6000, 300, techniques={"batching": batching})
    evaluation = Evaluation(busy)
    first = next(options(busy, busy.supplies, evaluation, gate=False))
    configuration = replace(first.configuration, max_num_seqs=64)
    option = replace(first, configuration=configuration, replica=evaluation.replica(configuration, first.accelerator))

    assert fewer == {one.configuration.max_num_seqs for one in retuned(busy, option, held, evaluation)} - {64}


@pytest.mark.parametrize("held", list(Binding))
def test_disabled_batching_leaves_every_setting_alone(held: Binding):
    busy = asked("nvidia-h100-80gb", {"ttft": "2s", "interTokenLatency": "20ms"}, 20, 1000, 300)
    off = busy.spec.techniques.model_copy(
        update={"batching": busy.spec.techniques.batching.model_copy(update={"mode": "Disabled"})}
    )

    assert [] == tried(replace(busy, spec=busy.spec.model_copy(update={"techniques": off})), held)


def test_what_runs_with_settings_of_its_own_is_an_option_as_it_runs():
    busy = asked("nvidia-h100-80gb", {"ttft": "2s"}, 5, 1000, 300)
    evaluation = Evaluation(busy)
    first: Option = next(options(busy, busy.supplies, evaluation, gate=False))
    running = replace(first.configuration, max_num_batched_tokens=4096)

    assert running == chosen(plan(replace(busy, running=running)))
