"""What a client's request says, in whichever of OpenAI's formats: its prompt, its feature, its limits.

A request is the decoded JSON body; everything here takes it as it comes and raises nothing of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard

OTHER: Final = "other"
"""Stands for features that the route does not name: labels stay bounded."""
UNATTRIBUTED: Final = "unattributed"
TAG: Final = "feature:"
"""Begins the tag that names a feature."""
LIMITS: Final = ("max_completion_tokens", "max_tokens")
"""Fields that limit an answer's tokens."""
MOST_STOPS: Final = 4
"""Stop sequences that OpenAI's API takes; engines of ours take more, other providers refuse the request."""
STEERING: Final = frozenset(
    {
        "content_policy_fallbacks",
        "context_window_fallbacks",
        "fallbacks",
        "guardrails",
        "max_retries",
        "mock_response",
        "mock_testing_fallbacks",
        "mock_timeout",
        "model_list",
        "num_retries",
        "router_settings_override",
        "specific_deployment",
    }
)
"""Fields that LiteLLM takes as orders to itself: more retries than the route has, or a model that it does not."""

Request = Mapping[str, Any]


def prompt_of(request: Request) -> str:
    """Return what is scored: the last message of a user, its parts that are text; of a completion its prompt.

    Labels' column ``prompt`` holds the same, so a score means at run time what it meant when it was calibrated.
    """
    messages = request.get("messages")
    if isinstance(messages, Sequence) and not isinstance(messages, str):
        for message in reversed(messages):
            if isinstance(message, Mapping) and message.get("role") == "user":
                return _text(message.get("content"))
        return ""
    return _text(request.get("prompt"))


def feature_of(request: Request, header: str | None, tags: Iterable[object], known: frozenset[str]) -> str:
    """Return what asked: the header's word first, then ``metadata.feature``, then the first tag ``feature:NAME``.

    A word that is not among the known ones is :data:`OTHER`, none at all :data:`UNATTRIBUTED`.
    """
    metadata = request.get("metadata")
    told = metadata.get("feature") if isinstance(metadata, Mapping) else None
    tagged = (tag.removeprefix(TAG) for tag in tags if isinstance(tag, str) and tag.startswith(TAG))
    found = next((word for word in (header, told, *tagged) if isinstance(word, str) and word), None)
    if found is None:
        return UNATTRIBUTED
    return found if found in known else OTHER


def asked_tokens(request: Request) -> int | None:
    """Return the least of the limits that a client asks for, in tokens; ``None``: it asks for none."""
    given = [value for name in LIMITS if _is_count(value := request.get(name))]
    return min(given, default=None)


def capped(request: Request, most: int, is_chat: bool) -> dict[str, int]:
    """Return the limits that a cap changes, by field: lowered, never raised.

    A chat without a limit may fill the whole context, so it gets the cap; a completion without one ends after 16 tokens
    by itself.  A request that demands more tokens than the cap is left alone: the engine would refuse it.
    """
    least = request.get("min_tokens")
    if _is_count(least) and least > most:
        return {}
    given = {name: value for name in LIMITS if _is_count(value := request.get(name))}
    if not given:
        return {"max_tokens": most} if is_chat and all(request.get(name) is None for name in LIMITS) else {}
    return {name: most for name, value in given.items() if value > most}


def stops_with(request: Request, more: Sequence[str]) -> list[str] | None:
    """Return the stop sequences with more of them, the client's own first; ``None``: nothing changes."""
    given = request.get("stop")
    own = [given] if isinstance(given, str) else list(given or ())
    found = list(dict.fromkeys((*own, *more)))[: max(MOST_STOPS, len(own))]
    return found if len(found) > len(own) else None


def _text(content: object) -> str:
    """Return a content's text; images and sounds have none."""
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    texts = (part if isinstance(part, str) else part.get("text") for part in content if isinstance(part, str | Mapping))
    return "\n".join(text for text in texts if isinstance(text, str))


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
