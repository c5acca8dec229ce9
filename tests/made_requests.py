"""Sampled requests that are made: a support desk whose prompts begin with the time and end with the shared rules."""

import json
from typing import Any

RULES = (
    "Answer in the language of the customer and never promise a refund without a ticket number.",
    "Quote the paragraph of the manual that your answer rests on, word for word and with its number.",
    "If the customer is angry, say first that you are sorry, and only then what can be done about it.",
)
QUESTIONS = ("Where is my parcel?", "The lamp flickers.", "May I return shoes that I wore?", "Who are you?")


def desk(index: int, *, late: bool = True, **more: Any) -> dict[str, Any]:
    """One request; its rules come ``late``, behind the time and the customer, or first."""
    about = (
        f"It is 2026-11-29 10:{index % 60:02d}:{index * 7 % 60:02d} and the customer is number {index * 7919 % 100003}."
    )
    question = QUESTIONS[index % len(QUESTIONS)]
    system = "\n".join([about, *RULES] if late else [*RULES, about])
    return {
        "model": "small",
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": f"{question} {index}"}],
        "metadata": {"feature": "desk"},
        **more,
    }


def lines(*documents: Any) -> str:
    return "\n".join(json.dumps(document) for document in documents)
