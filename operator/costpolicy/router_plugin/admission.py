"""What a tenant may ask of the router: what is not named here is refused."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from .request import STEERING

LISTS: Final = frozenset({"/models", "/v1/models"})
ASKS: Final = frozenset({"/chat/completions", "/v1/chat/completions", "/completions", "/v1/completions"})


class Refusal(NamedTuple):
    """Why not: an HTTP status and a sentence for the client."""

    status: int
    message: str


def refusal(
    routes: AbstractSet[str], path: str, query: Mapping[str, str], body: Mapping[str, object]
) -> Refusal | None:
    """Return why a tenant's request is refused; ``None``: it may pass.

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
    steering = sorted(STEERING & body.keys())
    if steering:
        return Refusal(403, f"tenants may not set {', '.join(steering)}")
    return None
