"""A real LiteLLM while things go: a tier dies, fails or is slow, and its own configuration changes under load.

Clients are those of the demo (``tests/callers``): the OpenAI SDK, with connections that are kept and that are not, answers
whole and in streams.  What a Service does is done by ``router.balancer``.
Not covered: a tier whose node vanishes without a word, which takes as long as connecting may; kube-proxy itself.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from answering import completion
from costpolicy.drain import program
from engine.server import free_port
from router.balancer import balancing
from router.clients import LARGE, SHOP, SMALL, Client, Tiers, decided, serving, total
from router.folder import variables_of
from router.load import applications, tier

LONG_ANSWER = 150
"""Words of one caller's streams: a second and a half."""
STREAMING_CALLERS = 4
"""Of the seven that ask."""
ROUTED, TRUSTED = Fraction(95, 100), None
"""Thresholds: what callers ask scores below the one, and nothing is routed by the other."""


@contextmanager
def two_tiers(work: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """Two tiers that say a word every ten milliseconds: the cheaper one's process, and where both are."""
    small, large = free_port(), free_port()
    with tier(small, work / "small.log", pause=0.01) as process, tier(large, work / "large.log", pause=0.01):
        yield process, {SMALL: f"http://127.0.0.1:{small}", LARGE: f"http://127.0.0.1:{large}"}


def outcomes(seen: dict[str, dict[str, Any]], *names: str) -> int:
    return sum(counts[name] for counts in seen.values() for name in names)


def test_the_death_of_a_tier_loses_no_request_but_the_streams_that_it_was_sending(tmp_path: Path):
    with (
        two_tiers(tmp_path) as (doomed, addresses),
        serving(tmp_path / "folder", decided(below=ROUTED), addresses) as client,
        applications(client.router.url, SHOP, tmp_path / "callers.log", LONG_ANSWER) as callers,
    ):
        assert 0 == outcomes(callers.answered(4), "failed", "truncated")
        doomed.kill()
        doomed.wait()
        callers.answered(4)
        seen = callers.answered(4)
        page = client.page_now()

    assert (0, 0) == (outcomes(seen, "truncated"), outcomes(seen, "failed") - outcomes(seen, "cut")), seen
    assert outcomes(seen, "cut") <= STREAMING_CALLERS
    assert total(page, "costpolicy_route_requests_total", tier="small", outcome="answered") > 0
    assert total(page, "costpolicy_route_requests_total", tier="large", outcome="answered") > 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_tier_that_fails_is_asked_once_a_request_and_the_trusted_one_answers(
    client: Client, tiers: Tiers, stream: bool
):
    client.until_small_answers()
    tiers.reset()
    tiers.small.answer = lambda _: (500, {"error": {"message": "CUDA out of memory"}})
    answers = [client.ask(stream=stream) for _ in range(10)]

    assert [200] * 10 == [answer.status_code for answer in answers]
    assert (10, True) == (len(tiers.large.asked), 0 < len(tiers.small.asked) <= 10)


def test_where_both_tiers_fail_each_is_asked_once_a_request_at_most(client: Client, tiers: Tiers):
    client.until_small_answers()
    tiers.reset()
    tiers.small.answer = tiers.large.answer = lambda _: (503, {"error": {"message": "overloaded"}})
    answers = [client.ask() for _ in range(10)]

    assert all(answer.status_code >= 429 for answer in answers)
    assert 0 < len(tiers.small.asked) <= 10
    assert 0 < len(tiers.large.asked) <= 10


def test_a_tier_that_is_slow_is_not_asked_twice(client: Client, tiers: Tiers):
    client.until_small_answers()
    tiers.reset()
    answered = threading.Event()

    def slow(_: object) -> Any:
        answered.wait(8)  # longer than any patience that a router would have by default for a first sign
        return completion("at last")

    tiers.small.answer = slow
    answer = client.ask()

    assert "at last" == answer.json()["choices"][0]["message"]["content"]
    assert (1, 0) == (len(tiers.small.asked), len(tiers.large.asked))


def test_a_change_of_configuration_loses_no_request_and_cuts_no_stream(tmp_path: Path):
    """The new one starts, is ready, gets all new connections; the old one is stopped as its Deployment stops it."""
    with (
        two_tiers(tmp_path) as (_, addresses),
        serving(tmp_path / "old", decided(below=TRUSTED), addresses) as old,
        balancing(port_of(old)) as service,
        applications(service.url, SHOP, tmp_path / "callers.log", LONG_ANSWER) as callers,
    ):
        callers.answered(3)
        with serving(tmp_path / "new", decided(below=ROUTED), addresses) as new:
            hook = [sys.executable, program.__file__, str(port_of(old)), "2", "60"]
            stopping = subprocess.Popen(hook, env=os.environ | variables_of(tmp_path / "old"))
            service.target = port_of(new)
            assert 0 == stopping.wait(90)
            old.router.process.send_signal(signal.SIGTERM)
            old.router.process.wait(30)
            seen = callers.answered(4)
            page = new.page_now()

    assert 3 == len(seen)
    assert (0, 0) == (outcomes(seen, "truncated"), outcomes(seen, "failed")), seen
    assert total(page, "costpolicy_route_requests_total", tier="small", outcome="answered") > 0


def test_sigterm_waits_for_a_stream_and_takes_no_new_connection(tmp_path: Path):
    """Why there is a hook: the socket closes at once, while endpoints would still name the pod."""
    words = 200
    body = {"model": "chat", "stream": True, "max_tokens": words, "messages": [{"role": "user", "content": "hi"}]}
    with (
        two_tiers(tmp_path) as (_, addresses),
        serving(tmp_path / "folder", decided(), addresses) as client,
        client.http.stream(
            "POST", "/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {SHOP}"}
        ) as answer,
    ):
        events = answer.iter_lines()
        first = next(events)
        client.router.process.send_signal(signal.SIGTERM)
        assert refuses_within(client, seconds=10)
        lines = [first, *(line for line in events if line)]
        client.router.process.wait(30)

    assert "data: [DONE]" == lines[-1]
    assert words == sum('"content":"word "' in line for line in lines)


def port_of(client: Client) -> int:
    return int(client.router.url.rpartition(":")[2])


def refuses_within(client: Client, seconds: float) -> bool:
    """Whether the socket closes.

    A connection that the kernel took while it closed is reset or ends without a word: that is no refusal yet.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{client.router.url}/health/liveliness", trust_env=False)
        except httpx.ConnectError:
            return True
        except (httpx.ReadError, httpx.RemoteProtocolError):
            continue
    return False
