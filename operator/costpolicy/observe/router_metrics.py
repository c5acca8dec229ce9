"""The series that a router's callback serves, by name (docs/decisions/0033-the-router.md)."""

from enum import StrEnum

from costpolicy.observe.scope import Scope


class RouterMetric(StrEnum):
    """A family of the callback's ``/metrics``; histograms are named without ``_bucket``, ``_sum`` and ``_count``."""

    REQUESTS = "costpolicy_route_requests_total"
    TOKENS = "costpolicy_route_tokens_total"
    SCORES = "costpolicy_route_scores_total"
    ASKED_TOKENS = "costpolicy_route_asked_tokens"
    """Limits that clients ask for; the engine's own histogram has what remained of them."""
    GENERATED_TOKENS = "costpolicy_route_generated_tokens"
    CUT = "costpolicy_route_cut_total"
    COMPRESSED = "costpolicy_route_compressed_characters_total"
    REMOVED_TOKENS = "costpolicy_route_removed_tokens_total"
    SAMPLED = "costpolicy_route_sampled_total"
    CALLBACK_ERRORS = "costpolicy_route_callback_errors_total"


class TokenKind(StrEnum):
    """Values of the label ``kind`` of tokens."""

    PROMPT = "prompt"
    """Cached ones included."""
    CACHED = "cached"
    OUTPUT = "output"


class CacheKind(StrEnum):
    """Values of the label ``cache`` of tokens that compression left out: would the prefix cache have had them?"""

    MISSED = "missed"
    HIT = "hit"
    UNKNOWN = "unknown"


def grown(scope: Scope, selector: str, window: str, *labels: str) -> str:
    """Return how much a counter grew at each router, by ``namespace, pod, route`` and ``labels``.

    Each router counts once, however many Prometheus scrape it.
    """
    return f"max {scope.by('namespace', 'pod', 'route', *labels)} (increase({selector}[{window}]))"
