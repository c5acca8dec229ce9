"""Clients of a real engine, well-behaved and wasteful, that know how many tokens they wasted.

An answer ends by itself after a number of tokens that the client chooses: a stop token is forbidden until then and certain
afterwards.  A time-out is told in tokens received and not in seconds, so that it is the same on every machine.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from engine.load import SHARED_PREFIX_WORDS

STOP = 5
"""A token of the tiny model's vocabulary."""
SETTLED_WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question: how long its answer is by itself (``None``: it never ends), and how long it may get.

    ``patience``: tokens that the client receives before it hangs up; ``None``: it waits for the end.
    """

    number: int
    ends_after: int | None
    limit: int
    patience: int | None = None


def ask_all(url: str, model: str, asks: Sequence[Ask], *, concurrency: int = 4) -> list[int]:
    """Ask, some at a time, and return how many tokens each client received, in order."""
    return asyncio.run(_ask_all(url, model, asks, concurrency))


async def _ask_all(url: str, model: str, asks: Sequence[Ask], concurrency: int) -> list[int]:
    slots = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(base_url=url, timeout=120.0, trust_env=False) as client:

        async def one(ask: Ask) -> int:
            async with slots:
                return await _receive(client, _body(model, ask), ask.patience)

        return list(await asyncio.gather(*(one(ask) for ask in asks)))


def _body(model: str, ask: Ask) -> dict[str, Any]:
    shared = " ".join(f"word{index % 97}" for index in range(SHARED_PREFIX_WORDS))
    body = {
        "model": model,
        "prompt": f"{shared} question {ask.number}",
        "max_tokens": ask.limit,
        "temperature": 0,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    if ask.ends_after is not None:
        body |= {"stop_token_ids": [STOP], "min_tokens": ask.ends_after - 1, "logit_bias": {str(STOP): 100}}
    return body


async def _receive(client: httpx.AsyncClient, body: dict[str, Any], patience: int | None) -> int:
    received = 0
    async with client.stream("POST", "/v1/completions", json=body) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                usage = json.loads(line.removeprefix("data: ")).get("usage") or {}
                received = max(received, usage.get("completion_tokens", 0))
            if patience is not None and received >= patience:
                break  # and the connection is closed
    return received


def settled(url: str) -> str:
    """Return the engine's exposition once nothing runs any more: it learns of a client that hung up a moment later."""
    deadline = time.monotonic() + SETTLED_WITHIN
    while time.monotonic() < deadline:
        text = httpx.get(f"{url}/metrics", timeout=10, trust_env=False).text
        gauges = [
            line
            for line in text.splitlines()
            if line.startswith(("vllm:num_requests_running{", "vllm:num_requests_waiting{"))
        ]
        if gauges and all(float(line.rsplit(" ", 1)[1]) == 0.0 for line in gauges):
            return text
        time.sleep(0.2)  # a real process is waited for here: there is no clock to inject
    raise TimeoutError(f"the engine still works after {SETTLED_WITHIN:.0f} s")
