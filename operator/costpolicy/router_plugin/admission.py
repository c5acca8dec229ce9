"""What a tenant may ask of the router: what is not named here is refused."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from .request import STEERING

LISTS: Final = frozenset({"/models", "/v1/models"})
ASKS: Final = frozenset({"/chat/completions", "/v1/chat/completions", "/completions", "/v1/completions"})

TOLD: Final = frozenset({"metadata", "tags"})
"""Fields that LiteLLM keeps to itself and that clients may well set: they say what asks."""


class Refusal(NamedTuple):
    """Why not: an HTTP status and a sentence for the client."""

    status: int
    message: str


def refusal(
    routes: AbstractSet[str],
    path: str,
    query: Mapping[str, str],
    body: Mapping[str, object],
    is_order: Callable[[str], bool],
) -> Refusal | None:
    """Return why a tenant's request is refused; ``None``: it may pass.

    ``is_order`` says which fields of a body LiteLLM takes as orders to itself, as far as it knows.

    LiteLLM takes a model in the query before the one in the body, so a query is refused as a whole.
    """
    if path not in ASKS | LISTS:
        return Refusal(403, f"tenants may ask for {', '.join(sorted(ASKS | LISTS))}")
    if query:
        return Refusal(403, "tenants may not give parameters in the address")
    if path in LISTS:
        return None
    model = body.get("model")
    if not (isinstance(model, str) and model in routes):
        return Refusal(403, f"this key may ask for {', '.join(sorted(routes)) or 'no model'}")
    steering = sorted(name for name in body if name in STEERING or (is_order(name) and name not in TOLD))
    if steering:
        return Refusal(403, f"tenants may not set {', '.join(steering)}")
    return None
