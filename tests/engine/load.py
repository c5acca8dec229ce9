"""Real streaming chat requests to an OpenAI-compatible server on this machine, bounded in number and time."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

SHARED_PREFIX_WORDS = 200
"""About 1,000 tokens of the tiny model's tokenizer: seven of the CPU engine's 128-token cache blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One finished request, timed at the client: seconds to the first chunk with text and to the end, and the
    server's count.
    """

    status: int
    seconds_to_first_token: float | None
    seconds: float
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str | None


def chat(
    url: str, model: str, *, requests: int, concurrency: int = 4, max_tokens: int = 16, timeout: float = 120.0
) -> list[Answer]:
    """Send `requests` streaming chats, `concurrency` at a time, all beginning with one shared prefix; in
    order of sending.

    Raises:
        TimeoutError: not all were answered within `timeout` seconds.
        httpx.HTTPError: the server could not be reached, or hung up.
    """
    return asyncio.run(
        _all(url, model, requests=requests, concurrency=concurrency, max_tokens=max_tokens, seconds=timeout)
    )


async def _all(
    url: str, model: str, *, requests: int, concurrency: int, max_tokens: int, seconds: float
) -> list[Answer]:
    slots = asyncio.Semaphore(concurrency)
    async with (
        httpx.AsyncClient(base_url=url, timeout=seconds, trust_env=False) as client,
        asyncio.timeout(seconds),
    ):

        async def one(number: int) -> Answer:
            async with slots:
                return await _one(client, _body(model, number, max_tokens))

        return list(await asyncio.gather(*(one(number) for number in range(requests))))


def _body(model: str, number: int, max_tokens: int) -> dict[str, Any]:
    shared = " ".join(f"word{index % 97}" for index in range(SHARED_PREFIX_WORDS))
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": shared},
            {"role": "user", "content": f"question {number}"},
        ],
        "max_tokens": max_tokens,
        "temperature": 0,
        "ignore_eos": True,  # vLLM's own parameter: random weights would end whenever they happen to
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def _one(client: httpx.AsyncClient, body: dict[str, Any]) -> Answer:
    started = time.monotonic()
    first: float | None = None
    finish: str | None = None
    usage = {"prompt_tokens": 0, "completion_tokens": 0}
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: ") or line == "data: [DONE]":
                continue
            event = json.loads(line.removeprefix("data: "))
            usage = event.get("usage") or usage
            for choice in event.get("choices", ()):
                finish = choice.get("finish_reason") or finish
                if first is None and choice["delta"].get("content"):
                    first = time.monotonic() - started
    return Answer(
        status=response.status_code,
        seconds_to_first_token=first,
        seconds=time.monotonic() - started,
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        finish_reason=finish,
    )
