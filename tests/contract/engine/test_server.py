"""A real vLLM serving: what its metrics are called and that they count what clients saw.

Covered: the names in the recorded exposition of 0.32 against a live one; requests, tokens and prefix hits of twenty chats.
Not covered: GPUs, and any figure of speed (a tiny model on a CPU says nothing about either).
"""

import re
from pathlib import Path

import pytest

from engine.load import Answer, chat
from engine.server import SERVED_NAME, Engine

RECORDED = Path(__file__).parents[2] / "data" / "vllm" / "0.32.0-cpu.txt"
REQUESTS = 20
OUTPUT_TOKENS = 16


@pytest.fixture(scope="module")
def answers(running_engine: Engine) -> list[Answer]:
    return chat(running_engine.url, SERVED_NAME, requests=REQUESTS, max_tokens=OUTPUT_TOKENS)


def families(exposition: str) -> dict[str, str]:
    """vLLM's own metrics by name, with their types."""
    return dict(re.findall(r"^# TYPE (vllm:\S+) (\S+)$", exposition, flags=re.MULTILINE))


def total(exposition: str, series: str) -> float:
    """The sum of a metric over its labels."""
    pattern = rf"^{re.escape(series)}\{{[^}}]*\}} (\S+)$"
    return sum(float(value) for value in re.findall(pattern, exposition, flags=re.MULTILINE))


def test_every_recorded_metric_is_still_called_so_and_of_that_type(running_engine: Engine, answers: list[Answer]):
    live = families(running_engine.metrics())
    recorded = families(RECORDED.read_text())
    assert recorded == {name: live.get(name) for name in recorded}


def test_every_chat_is_answered_in_full_and_as_a_stream(answers: list[Answer]):
    assert [200] * REQUESTS == [answer.status for answer in answers]
    assert ["length"] * REQUESTS == [answer.finish_reason for answer in answers]
    assert [OUTPUT_TOKENS] * REQUESTS == [answer.completion_tokens for answer in answers]


def test_the_metrics_count_what_the_clients_saw(running_engine: Engine, answers: list[Answer]):
    metrics = running_engine.metrics()
    assert REQUESTS == total(metrics, "vllm:request_success_total")
    assert REQUESTS == total(metrics, "vllm:time_to_first_token_seconds_count")
    assert sum(answer.completion_tokens for answer in answers) == total(metrics, "vllm:generation_tokens_total")
    assert sum(answer.prompt_tokens for answer in answers) == total(metrics, "vllm:prompt_tokens_total")


def test_the_shared_prefix_is_served_from_the_cache(running_engine: Engine, answers: list[Answer]):
    metrics = running_engine.metrics()
    hits, queries = total(metrics, "vllm:prefix_cache_hits_total"), total(metrics, "vllm:prefix_cache_queries_total")
    assert hits > queries / 2
