"""What other accelerators' kernels make of the fit: shares of the peak, arithmetic of FP8 caches.

Covered: an accelerator whose kernels reach less is slower, one whose kernels reach more is not credited; attention over
an FP8 cache on Hopper. Not covered: whether the kernels' figures are right (their source is in the catalogue).
"""

from dataclasses import replace

import pytest

from costpolicy.catalog.accelerators import accelerators
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.shape import Workload
from costpolicy.perf.step import step_cost

B200, H100, H200, RTX = (accelerators()[f"nvidia-{name}"] for name in ("b200", "h100-80gb", "h200", "rtx-pro-6000"))
PROMPTS = Workload(prompt_tokens=4000, output_tokens=100)


def linear(shapes, accelerator, weights: str) -> float:
    """Share of its dense peak that the linear layers are expected to reach."""
    shape = shapes("meta-llama/Llama-3.1-70B", accelerator.name, 8, weights)
    dtype = {"nvfp4": "fp4"}.get(weights, weights)
    return 1.0 / (step_cost(shape).linear_per_token * accelerator.flops[dtype])


def test_kernels_that_reach_less_of_their_peak_make_an_accelerator_slower(shapes):
    assert linear(shapes, B200, "fp8") / linear(shapes, H100, "fp8") == pytest.approx(0.84)
    assert linear(shapes, B200, "bf16") / linear(shapes, H100, "bf16") == pytest.approx(0.68 / 0.79)
    assert linear(shapes, B200, "nvfp4") / linear(shapes, H100, "fp8") == pytest.approx(0.76)


def test_kernels_that_reach_more_than_where_the_fit_was_made_are_not_credited(shapes):
    assert RTX.measured_shares["fp8"] > H100.measured_shares["fp8"]
    assert linear(shapes, RTX, "fp8") == pytest.approx(linear(shapes, H100, "fp8"))


def test_an_fp8_cache_is_read_no_faster_on_the_hopper_with_more_bandwidth(shapes):
    read = [step_cost(shapes(accelerator=one.name, kv_cache="fp8")).read_per_context_token for one in (H100, H200)]
    assert read[0] == read[1]
    wide = [step_cost(shapes(accelerator=one.name)).read_per_context_token for one in (H100, H200)]
    assert wide[0] > 1.3 * wide[1]


def test_a_shared_prefix_costs_time_where_attention_is_bound_by_arithmetic(shapes):
    shared, alone = (step_cost(shapes(kv_cache="fp8"), tokens) for tokens in (1000.0, 0.0))
    assert shared.decode(64, 300) > 1.1 * alone.decode(64, 300)
    assert step_cost(shapes(), 1000.0) == step_cost(shapes())


def test_a_family_that_nobody_fitted_has_a_longer_first_token(shapes):
    fast = shapes("meta-llama/Llama-3.1-70B", "nvidia-b200", 8, "fp8")
    as_hopper = replace(fast, accelerator=replace(B200, family="hopper"))
    lone, known = (closed_loop(shape, PROMPTS, 1) for shape in (fast, as_hopper))
    assert lone.ttft.mean > 1.15 * known.ttft.mean
    assert lone.inter_token == known.inter_token
