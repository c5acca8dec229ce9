"""Predictions are asked of the model once, whoever asks.

Covered: that what is remembered is what the model says, and what is shared with whom.  Not covered: what the model says
(test_open_loop.py), that plans are the same (every golden plan), and what it saves (``make bench``).
"""

from dataclasses import replace

from asking import offered, request
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.prediction import prediction
from costpolicy.perf.shape import Workload
from costpolicy.planning.planner import plan

CHAT = Workload(prompt_tokens=1200, output_tokens=200, cached_tokens=1000)
FULL = Workload(prompt_tokens=7000, output_tokens=2000)
BUSY = {"requestsPerSecond": 40, "promptTokens": 1500, "outputTokens": 300}


def test_what_is_remembered_is_what_the_model_says(shapes):
    for workload in (CHAT, FULL):
        known = prediction(shapes(), workload)
        for _ in range(2):
            assert known.at_rate(3.0) == open_loop(shapes(), workload, 3.0)
            assert known.at_rate(900.0) == open_loop(shapes(), workload, 900.0)
            assert known.at_rate(0.0) == closed_loop(shapes(), workload, 1)
            assert known.capacity(0.9, 0.05, 1.0) == capacity(shapes(), workload, 0.9, 0.05)
            assert known.capacity(0.5, None, 1.0) == capacity(shapes(), workload, 0.5, None)


def test_equal_engines_under_equal_workloads_share_a_prediction_and_others_do_not(shapes):
    known = prediction(shapes(), CHAT)

    assert prediction(replace(shapes()), replace(CHAT)) is known
    assert prediction(shapes(max_num_seqs=7), CHAT) is not known
    assert prediction(shapes(), FULL) is not known


def test_a_plan_for_another_policy_with_other_prices_and_objectives_predicts_no_engine_anew():
    names = "nvidia-l40s", "nvidia-h100-80gb"
    plan(request(offered(*names), traffic=BUSY, objectives={"ttft": {"p95": "900ms"}}))
    before = prediction.cache_info().misses

    dearer = tuple(replace(one, hourly=one.hourly * 3) for one in offered(*names))
    found = plan(request(dearer, traffic=BUSY, objectives={"ttft": {"p95": "880ms"}}))

    assert found.target is not None
    assert prediction.cache_info().misses == before
