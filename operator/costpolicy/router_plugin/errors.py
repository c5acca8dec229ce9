"""What a tier said when it did not answer, out of what LiteLLM makes of it.

LiteLLM wraps a tier's error into sentences of its own, with the names of the tiers that were tried.  A client that could
read the error of an engine should be able to read it here.
"""

import json
import re
from ast import literal_eval
from typing import Any, Final, NamedTuple

_BEGINS: Final = re.compile(r"Exception - (?:Error code: \d+ - )?(?=\{)")
"""Chats carry the body as it came, completions as Python prints it."""


class TierError(NamedTuple):
    """An error as OpenAI's API tells it."""

    message: str
    type: str
    param: str | None


def told(text: str) -> TierError | None:
    """Return the last error that a tier told in a message of LiteLLM's, which is the trusted one's; ``None``: there is none."""
    begins = [found.end() for found in _BEGINS.finditer(text)]
    if not begins:
        return None
    try:
        error = _document(text[begins[-1] :])["error"]
        param = error.get("param")
        return TierError(str(error["message"]), str(error.get("type")), None if param is None else str(param))
    except (AttributeError, LookupError, SyntaxError, TypeError, ValueError):
        return None


def _document(text: str) -> dict[str, Any]:
    """Return the document that a text begins with; one in Python's notation ends with its paragraph."""
    try:
        found: dict[str, Any] = json.JSONDecoder().raw_decode(text)[0]
    except ValueError:
        found = literal_eval(text.split("\n\n", 1)[0].strip())
    return found
