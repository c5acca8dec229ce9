"""A real vLLM serving: what its metrics are called and that they count what clients saw.

Covered: the names in the recorded exposition of 0.32 against a live one; requests, tokens and prefix hits of twenty chats.
Not covered: GPUs, and any figure of speed (a tiny model on a CPU says nothing about either).
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.load import Answer, chat
from engine.server import SERVED_NAME, Engine

RECORDED = Path(__file__).parents[2] / "data" / "vllm" / "0.32.0-cpu.txt"
REQUESTS = 20
OUTPUT_TOKENS = 16


@pytest.fixture(scope="module")
def before(running_engine: Engine) -> str:
    """The exposition before these chats: other tests share the engine."""
    return running_engine.metrics()


@pytest.fixture(scope="module")
def answers(running_engine: Engine, before: str) -> list[Answer]:
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


@pytest.fixture(scope="module")
def counted(running_engine: Engine, before: str, answers: list[Answer]) -> Callable[[str], float]:
    """By how much a metric grew with these chats."""
    after = running_engine.metrics()
    return lambda series: total(after, series) - total(before, series)


def test_the_metrics_count_what_the_clients_saw(counted: Callable[[str], float], answers: list[Answer]):
    assert REQUESTS == counted("vllm:request_success_total")
    assert REQUESTS == counted("vllm:time_to_first_token_seconds_count")
    assert sum(answer.completion_tokens for answer in answers) == counted("vllm:generation_tokens_total")
    assert sum(answer.prompt_tokens for answer in answers) == counted("vllm:prompt_tokens_total")


def test_the_shared_prefix_is_served_from_the_cache(counted: Callable[[str], float]):
    assert counted("vllm:prefix_cache_hits_total") > counted("vllm:prefix_cache_queries_total") / 2
