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
from pathlib import Path
from typing import Any

import httpx
import pytest

from answering import completion
from costpolicy.drain import program
from engine.server import free_port
from router.balancer import balancing
from router.clients import COEFFICIENTS, Client, Tiers, total
from router.folder import MASTER_KEY, write_folder
from router.load import applications, tier
from router.server import RunningRouter, serve_router

VARIABLES = {"LITELLM_MASTER_KEY": MASTER_KEY}
STREAMING_CALLERS = 4
"""Of the seven that ask."""


def routes(metrics_port: int, below: float | None) -> dict[str, Any]:
    tiers = [{"name": "small", "policy": "llama-8b", "below": below}, {"name": "large", "policy": ""}]
    route = {"trusted": "large", "tiers": tiers, "coefficients": "chat.json"}
    return {"version": 1, "featureHeader": "x-feature", "metricsPort": metrics_port, "routes": {"chat": route}}


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def outcomes(seen: dict[str, dict[str, Any]], *names: str) -> int:
    return sum(counts[name] for counts in seen.values() for name in names)


def test_the_death_of_a_tier_loses_no_request_but_the_streams_that_it_was_sending(tmp_path: Path):
    small, large, metrics = free_port(), free_port(), free_port()
    addresses = {"chat": url(large), "chat/small": url(small)}
    folder = write_folder(tmp_path / "folder", routes(metrics, 0.95), addresses, COEFFICIENTS, keys=False)
    with (
        tier(small, tmp_path / "small.log", pause=0.01) as doomed,
        tier(large, tmp_path / "large.log", pause=0.01),
        serve_router(folder, VARIABLES) as router,
        applications(router.url, MASTER_KEY, tmp_path / "callers.log", long_tokens=150) as callers,
    ):
        assert 0 == outcomes(callers.answered(4), "failed", "truncated")
        doomed.kill()
        doomed.wait()
        callers.answered(4)
        seen = callers.answered(4)
        page = httpx.get(f"{url(metrics)}/metrics", trust_env=False).text

    assert (0, 0) == (outcomes(seen, "truncated"), outcomes(seen, "failed") - outcomes(seen, "cut"))
    assert outcomes(seen, "cut") <= STREAMING_CALLERS
    assert total(page, "costpolicy_route_requests_total", tier="small", outcome="answered") > 0
    assert total(page, "costpolicy_route_requests_total", tier="large", outcome="answered") > 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_tier_that_fails_is_asked_once_and_the_trusted_one_answers(client: Client, tiers: Tiers, stream: bool):
    tiers.small.answer = lambda _: (500, {"error": {"message": "CUDA out of memory"}})
    answers = [client.ask(stream=stream) for _ in range(10)]

    assert [200] * 10 == [answer.status_code for answer in answers]
    assert (10, 10) == (len(tiers.small.asked), len(tiers.large.asked))


def test_where_both_tiers_fail_each_is_asked_once(client: Client, tiers: Tiers):
    tiers.small.answer = tiers.large.answer = lambda _: (503, {"error": {"message": "overloaded"}})
    for _ in range(10):
        client.ask()

    assert (10, 10) == (len(tiers.small.asked), len(tiers.large.asked))


def test_a_tier_that_is_slow_is_not_asked_twice(client: Client, tiers: Tiers):
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
    small, large = free_port(), free_port()
    addresses = {"chat": url(large), "chat/small": url(small)}
    ports, metrics = (free_port(), free_port()), (free_port(), free_port())
    folders = [
        write_folder(tmp_path / f"folder-{number}", routes(metrics[number], below), addresses, COEFFICIENTS, keys=False)
        for number, below in enumerate((None, 0.95))
    ]
    own = [{**VARIABLES, "TMPDIR": str(tmp_path / f"tmp-{number}"), "KEEPALIVE_TIMEOUT": "20"} for number in (0, 1)]
    for variables in own:
        Path(variables["TMPDIR"]).mkdir()
    with (
        tier(small, tmp_path / "small.log", pause=0.01),
        tier(large, tmp_path / "large.log", pause=0.01),
        serve_router(folders[0], own[0], ports[0]) as old,
        balancing(ports[0]) as service,
        applications(service.url, MASTER_KEY, tmp_path / "callers.log", long_tokens=150) as callers,
    ):
        callers.answered(3)
        with serve_router(folders[1], own[1], ports[1]):
            hook = [sys.executable, program.__file__, str(ports[0]), "2", "60"]
            stopping = subprocess.Popen(hook, env={**os.environ, "TMPDIR": own[0]["TMPDIR"]})
            service.target = ports[1]
            assert 0 == stopping.wait(90)
            old.process.send_signal(signal.SIGTERM)
            old.process.wait(30)
            seen = callers.answered(4)
            page = httpx.get(f"{url(metrics[1])}/metrics", trust_env=False).text

    assert 3 == len(seen)
    assert (0, 0) == (outcomes(seen, "truncated"), outcomes(seen, "failed")), seen
    assert total(page, "costpolicy_route_requests_total", tier="small", outcome="answered") > 0


def test_sigterm_waits_for_a_stream_and_takes_no_new_connection(tmp_path: Path):
    """Why there is a hook: the socket closes at once, while endpoints would still name the pod."""
    port, metrics, router_port = free_port(), free_port(), free_port()
    folder = write_folder(tmp_path / "folder", routes(metrics, None), {"chat": url(port)}, COEFFICIENTS, keys=False)
    body = {"model": "chat", "stream": True, "max_tokens": 60, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"Authorization": f"Bearer {MASTER_KEY}"}
    with (
        tier(port, tmp_path / "tier.log", pause=0.05),
        serve_router(folder, VARIABLES, router_port) as router,
        httpx.stream("POST", f"{router.url}/v1/chat/completions", json=body, headers=headers, timeout=60) as answer,
    ):
        events = answer.iter_lines()
        next(events)
        router.process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.ConnectError):
            wait_for_refusal(router)
        rest = [line for line in events if line]
        router.process.wait(30)

    assert "data: [DONE]" == rest[-1]
    assert 60 == sum('"content":"word "' in line for line in rest) + 1


def wait_for_refusal(router: RunningRouter) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        httpx.get(f"{router.url}/health/liveliness", trust_env=False)
