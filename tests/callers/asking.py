"""One question, and whether its answer was whole."""

from dataclasses import dataclass

import httpx
from openai import AsyncOpenAI, OpenAIError


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A chat that has to be answered with exactly so many tokens."""

    model: str
    tokens: int
    stream: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was wrong with an answer: it failed, or (`truncated`) it ended well and was not whole.

    Attributes:
        begun: it failed when a part of it had already come.
    """

    truncated: bool
    what: str
    begun: bool = False


async def whole_answer_or_fault(client: AsyncOpenAI, question: Question) -> Fault | None:
    """Ask, and return what was wrong; `None`: the answer was whole."""
    come: list[object] = []
    try:
        finish, tokens = await (_streamed(client, question, come) if question.stream else _at_once(client, question))
    except (OpenAIError, httpx.HTTPError) as error:
        return Fault(truncated=False, what=f"{type(error).__name__}: {error} ({error.__cause__!r})", begun=bool(come))
    if (finish, tokens) == ("length", question.tokens):
        return None
    return Fault(truncated=True, what=f"finish_reason {finish} after {tokens} of {question.tokens} tokens")


async def _at_once(client: AsyncOpenAI, question: Question) -> tuple[str | None, int]:
    answer = await client.chat.completions.create(**_settings(question))
    return answer.choices[0].finish_reason, answer.usage.completion_tokens


async def _streamed(client: AsyncOpenAI, question: Question, come: list[object]) -> tuple[str | None, int]:
    finish, tokens = None, 0
    options = {"include_usage": True}
    async for chunk in await client.chat.completions.create(**_settings(question), stream=True, stream_options=options):
        come.append(chunk)
        finish = next((choice.finish_reason for choice in chunk.choices if choice.finish_reason), finish)
        tokens = chunk.usage.completion_tokens if chunk.usage else tokens
    return finish, tokens


def _settings(question: Question) -> dict[str, object]:
    return {
        "model": question.model,
        "messages": [{"role": "user", "content": "what does a token cost?"}],
        "max_tokens": question.tokens,
        "temperature": 0,
        "extra_body": {"ignore_eos": True},  # vLLM's own: random weights would end whenever they happen to
    }
