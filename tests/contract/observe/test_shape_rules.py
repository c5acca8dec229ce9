"""The recording rule for an hour's requests, by promtool, against what is worked out by hand.

Covered: means over both variants of a policy, what the prefix cache held, an engine that does not say so, an hour in which
hardly anything was asked, nothing asked.
Not covered: which hours are read (test_day_queries.py).
"""

from pathlib import Path

from contract.observe.promtool import POD, check, line
from costpolicy.observe.exported import Recorded

POLICY = 'namespace="demo",policy="chat"'
OTHER = POD.replace("chat-1", "chat-2").replace('"aaa"', '"bbb"')
SHAPE = f"round({Recorded.REQUEST_SHAPE})"
"""Samples are 30 seconds apart: 260 of them are more than two hours."""


def engine(pod: str, prompt: int, output: int, requests: int = 60, *, hits: int | None = 0) -> list[dict[str, str]]:
    """So many requests in each half minute, of so many tokens; ``hits`` of each prompt are found in the cache."""
    tokens = [
        line("vllm:time_to_first_token_seconds_count", pod, f"0+{requests}x260"),
        line("vllm:request_prompt_tokens_sum", pod, f"0+{requests * prompt}x260"),
        line("vllm:request_prompt_tokens_count", pod, f"0+{requests}x260"),
        line("vllm:request_generation_tokens_sum", pod, f"0+{requests * output}x260"),
        line("vllm:request_generation_tokens_count", pod, f"0+{requests}x260"),
    ]
    if hits is None:
        return tokens
    return [
        *tokens,
        line("vllm:prefix_cache_queries_total", pod, f"0+{requests * prompt}x260"),
        line("vllm:prefix_cache_hits_total", pod, f"0+{requests * hits}x260"),
    ]


def shape(prompt: float, computed: float, output: float) -> list[tuple[str, float]]:
    figures = {"prompt_tokens": prompt, "computed_tokens": computed, "output_tokens": output}
    return [(f'{{{POLICY},figure="{figure}"}}', value) for figure, value in figures.items()]


def test_a_policys_hour_is_the_mean_of_all_its_requests(programs: dict[str, str], tmp_path: Path) -> None:
    # 60 requests of 1,000 tokens and 20 of 3,000: 1,500 on average, of which 400 and 600 are found: three tenths of all tokens.
    series = [*engine(POD, 1000, 200, hits=400), *engine(OTHER, 3000, 40, 20, hits=600)]

    check(series, {SHAPE: shape(1500, 1050, 160)}, "120m", tmp_path)


def test_where_nothing_is_said_of_the_cache_the_whole_prompt_is_computed(
    programs: dict[str, str], tmp_path: Path
) -> None:
    check(engine(POD, 1000, 200, hits=None), {SHAPE: shape(1000, 1000, 200)}, "120m", tmp_path)


def test_an_hour_in_which_hardly_anything_was_asked_says_nothing(programs: dict[str, str], tmp_path: Path) -> None:
    # An hour of two requests a second, then one of a request in 80 seconds, which is long.
    late = [
        line("vllm:time_to_first_token_seconds_count", POD, "0+60x125 7500+0.375x135"),
        line("vllm:request_prompt_tokens_sum", POD, "0+6000x125 750000+37500x135"),
        line("vllm:request_prompt_tokens_count", POD, "0+60x125 7500+0.375x135"),
        line("vllm:request_generation_tokens_sum", POD, "0+1200x125 150000+7.5x135"),
        line("vllm:request_generation_tokens_count", POD, "0+60x125 7500+0.375x135"),
    ]

    check(late, {str(Recorded.REQUEST_SHAPE): []}, "129m", tmp_path)


def test_without_requests_there_is_no_shape(programs: dict[str, str], tmp_path: Path) -> None:
    check(engine(POD, 1000, 200, 0), {str(Recorded.REQUEST_SHAPE): []}, "120m", tmp_path)
