"""What each feature of an application cost in the past hour: its share of its policies' bills, and tokens that were bought.

A policy's hour is split as its unit costs are: into input and output by the time that requests spent in prefill and in
decoding; input goes to features by the prompt tokens that had to be computed, output by those generated.  What the engines
served and no router saw is nobody's, so features never have more than was paid.
"""

from typing import Final

from costpolicy.observe.attribution import POLICY, exported, variants
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import TOKEN_PRICE, Recorded
from costpolicy.observe.ledger import LedgerFigure
from costpolicy.observe.queries import increase, tagged
from costpolicy.observe.router_metrics import RouterMetric, TokenKind, grown
from costpolicy.observe.scope import Scope, promql_duration

_FEATURE: Final = (*POLICY, "feature")
_BOUGHT: Final = ("namespace", "route", "tier", "feature")
_HOSTED: Final = 'policy!=""'
_ELSEWHERE: Final = 'policy=""'
_PER_MILLION: Final = "1e-6"


def feature_costs(scope: Scope) -> str:
    """What the past hour's cost of each policy is to each ``feature``, by ``currency``; the rest is unattributed.

    Args:
        scope: with an hour as its windows.
    """
    prefill, decode = (
        f"sum {scope.by(*POLICY)} ({variants(scope, f'{metric}_sum', increase(scope))})"
        for metric in (EngineMetric.PREFILL_TIME, EngineMetric.DECODE_TIME)
    )
    prompt, cached, output = (_served(scope, kind) for kind in (_PROMPT, _CACHED, _OUTPUT))
    of_input = _share(scope, _computed(scope), f"({prompt} - {cached})", f"{prefill} / ({prefill} + {decode})")
    of_output = _share(scope, _routed(scope, TokenKind.OUTPUT), output, f"{decode} / ({prefill} + {decode})")
    shares = f"sum {scope.by(*_FEATURE)} ({tagged('input', of_input)} or {tagged('output', of_output)})"
    # A policy that was paid in two currencies within the hour has the larger amount only: such an hour is a gap anyway.
    cost = f"topk {scope.by(*POLICY)} (1, {scope.selector(Recorded.POLICY_COST)})"
    return f"{shares} * {scope.on(*POLICY)} group_left (currency) {cost}"


def bought_costs(scope: Scope) -> str:
    """What the past hour's tokens of other providers cost, by route, tier, ``feature`` and ``currency``.

    Args:
        scope: with an hour as its windows.
    """
    prompt, cached, output = (_bought(scope, kind) for kind in TokenKind)
    parts = {
        TokenKind.PROMPT: f"({prompt} - ({cached} or {prompt} * 0))",
        TokenKind.CACHED: cached,
        TokenKind.OUTPUT: output,
    }
    kinds = " or ".join(tagged(kind, expression, "kind") for kind, expression in parts.items())
    place = ("namespace", "route", "tier", "kind")
    price = f"topk {scope.by(*place)} (1, {exported(scope, TOKEN_PRICE)})"
    spent = f"({kinds}) * {scope.on(*place)} group_left (currency) {price} * {_PER_MILLION}"
    return f"sum {scope.by(*_BOUGHT, 'currency')} ({spent})"


_PROMPT: Final = LedgerFigure.PROMPT_TOKENS
_CACHED: Final = LedgerFigure.CACHED_TOKENS
_OUTPUT: Final = LedgerFigure.OUTPUT_TOKENS


def _share(scope: Scope, of_feature: str, of_engines: str, of_cost: str) -> str:
    """A feature's share of a policy's cost; routers may have seen a token that the engines' last scrape had not."""
    seen = f"sum {scope.by(*POLICY)} ({of_feature})"
    whole = f"({of_engines} >= {seen} or {seen}) > 0"
    return f"{of_feature} / {scope.on(*POLICY)} group_left () ({whole}) * {scope.on(*POLICY)} group_left () ({of_cost})"


def _served(scope: Scope, figure: LedgerFigure) -> str:
    recorded = scope.selector(Recorded.LEDGER, f'figure="{figure}"')
    return f"sum {scope.by(*POLICY)} ({recorded})"


def _computed(scope: Scope) -> str:
    prompt, cached = _routed(scope, TokenKind.PROMPT), _routed(scope, TokenKind.CACHED)
    return f"({prompt} - ({cached} or {prompt} * 0))"


def _routed(scope: Scope, kind: TokenKind) -> str:
    """Tokens of an hour that routers sent to policies."""
    return f"sum {scope.by(*_FEATURE)} ({_grown(scope, kind, _HOSTED)})"


def _bought(scope: Scope, kind: TokenKind) -> str:
    return f"sum {scope.by(*_BOUGHT)} ({_grown(scope, kind, _ELSEWHERE)})"


def _grown(scope: Scope, kind: TokenKind, backend: str) -> str:
    counted = scope.selector(RouterMetric.TOKENS, f'kind="{kind}"', backend)
    return grown(scope, counted, promql_duration(scope.shape_window), "tier", "policy", "feature")
