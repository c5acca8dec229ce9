"""The chart's recording rules about saturated engines, by promtool.

Covered: what a saturated replica served and of what shape, data-parallel ranks, two operators, engines that are not saturated.
Not covered: what is read of it over days (test_fleet_queries.py), the other rules (test_recording_rules.py).
"""

from pathlib import Path

import pytest

from contract.observe.promtool import POD, VARIANT, check, line
from costpolicy.observe.exported import Recorded


def saturated(pod: str, waiting: str, begin: int = 0) -> list[dict[str, str]]:
    """An engine that serves two requests a second of 100 + 20 tokens, 40 of them cached, whatever waits."""
    before = f"_x{begin} " if begin else ""
    grows = {
        "time_to_first_token_seconds_count": 60,
        "request_prompt_tokens_count": 60,
        "request_prompt_tokens_sum": 6000,
        "request_generation_tokens_count": 60,
        "request_generation_tokens_sum": 1200,
        "prefix_cache_hits_total": 2400,
        "prefix_cache_queries_total": 6000,
    }
    series = [line(f"vllm:{metric}", pod, f"{before}0+{each}x60") for metric, each in grows.items()]
    return [*series, line("vllm:num_requests_waiting", pod, f"{before}{waiting}")]


def test_of_saturated_replicas_it_is_recorded_what_they_served_and_of_what_shape(
    programs: dict[str, str], tmp_path: Path
) -> None:
    # Of two replicas one queues more and more, on both of its ranks; the other serves half of that and queues nothing.
    idle = POD.replace("chat-1", "chat-2")
    series = [*saturated(POD, "5+30x60"), *saturated(POD.replace('engine="0"', 'engine="1"'), "1x60")]
    series += [line("vllm:time_to_first_token_seconds_count", idle, "0+30x60")]
    series += [line("vllm:num_requests_waiting", idle, "0x60")]
    kernels = 'kernels="nvidia-l40s/1x2/bf16/auto"'
    series += [line("costpolicy_variant_info", f'{VARIANT},{kernels},instance="{name}"', "1x60") for name in ("a", "b")]
    expected = {
        f"round({Recorded.SATURATED_REQUESTS} * 1e3)": [(f"{{{VARIANT},{kernels}}}", 4000.0)],
        f"round({Recorded.SATURATED_SHAPE} * 1e3)": [
            (f'{{{VARIANT},{kernels},figure="{figure}"}}', value)
            for figure, value in (
                ("prompt_tokens", 100_000.0),
                ("output_tokens", 20_000.0),
                ("prefix_hit_ratio", 400.0),
            )
        ],
    }
    check(series, expected, "20m", tmp_path)


@pytest.mark.parametrize(
    ("waiting", "begin"),
    [("1000-10x60", 0), ("7x60", 0), ("5+30x25 0x5 5+30x25", 0), ("5+30x60", 33)],
    ids=["works its queue off", "has a queue that stays", "was empty in between", "has just come"],
)
def test_an_engine_is_not_saturated_that(programs: dict[str, str], tmp_path: Path, waiting: str, begin: int) -> None:
    info = line("costpolicy_variant_info", f'{VARIANT},kernels="one"', "1x60")
    at = "15m" if "0x5" in waiting else "20m"
    none = {Recorded.SATURATED_REQUESTS.value: [], Recorded.SATURATED_SHAPE.value: []}
    check([*saturated(POD, waiting, begin), info], none, at, tmp_path)
