"""The questions of the ledger: what accelerators were held at which price, and what they served, hour by hour.

What is recorded each minute is the price in force times what was held then, so a change of either is in the sum from the
minute it was seen.  An hour is the mean of its recorded minutes in which it is known what was held; how many those were is
recorded beside it, and an hour with too few is a gap (:mod:`costpolicy.observe.ledger`).
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from costpolicy.observe.attribution import POLICY, VARIANT, exported, variants
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import GPUS, PRICE_PER_HOUR, Recorded
from costpolicy.observe.ledger import LedgerFigure, Per
from costpolicy.observe.queries import increase, tagged
from costpolicy.observe.scope import Scope, promql_duration
from costpolicy.observe.unattended import accelerators_unattended, cost_unattended

_OFFERING: Final = ("accelerator", "capacity_type")
_HELD: Final = (*VARIANT, *_OFFERING, "state")
_SECONDS: Final = 3600
_MINUTES: Final = 60
UNANSWERED: Final = "abort|error"
"""``finished_reason`` of requests that nobody got an answer to."""


def accelerators_by_offering(scope: Scope) -> str:
    """Accelerators held now, split by accelerator, capacity type and ``state``."""
    return f"sum {scope.by(*_HELD)} ({exported(scope, GPUS)}) or {accelerators_unattended(scope)}"


def cost_by_offering(scope: Scope) -> str:
    """What those cost per hour, split by ``currency`` as well; without a price there is no sample."""
    price = f"topk {scope.by(*VARIANT, *_OFFERING)} (1, {exported(scope, PRICE_PER_HOUR)})"
    matched = f"{scope.on(*VARIANT, *_OFFERING)} group_left (currency)"
    attended = f"sum {scope.by(*_HELD, 'currency')} ({exported(scope, GPUS)} * {matched} {price})"
    return f"{attended} or {cost_unattended(scope)}"


def operators_seen(scope: Scope) -> str:
    """Share of the past hour in which it is known what was held: an operator was scraped, or kube-state-metrics instead."""
    return f"clamp_max({_minutes(scope)} / {_MINUTES}, 1)"


def ledger_of_an_hour(scope: Scope) -> str:
    """The past hour of each variant, by ``figure``; shares of a whole policy have no ``variant``.

    Args:
        scope: with an hour as its windows.
    """
    prompt, computed = (
        _per_minute(scope, recorded) for recorded in (Recorded.PROMPT_TOKENS, Recorded.COMPUTED_PROMPT_TOKENS)
    )
    answered = _per_minute(scope, Recorded.REQUESTS_FINISHED, f'finished_reason!~"{UNANSWERED}"')
    parts = {
        LedgerFigure.COST: _per_minute(scope, Recorded.OFFERING_COST_PER_HOUR, by=(*_OFFERING, "state", "currency")),
        LedgerFigure.ACCELERATORS: _per_minute(scope, Recorded.OFFERING_ACCELERATORS, by=(*_OFFERING, "state")),
        LedgerFigure.REQUESTS: f"{answered} * {_SECONDS}",
        LedgerFigure.PROMPT_TOKENS: f"{prompt} * {_SECONDS}",
        LedgerFigure.CACHED_TOKENS: f"({prompt} - {computed}) * {_SECONDS}",
        LedgerFigure.OUTPUT_TOKENS: f"{_per_minute(scope, Recorded.GENERATED_TOKENS)} * {_SECONDS}",
        LedgerFigure.SCRAPED: _share(scope, Recorded.POLICY_REQUESTS_OFFERED),
        LedgerFigure.HELD: _share(scope, Recorded.POLICY_COST_PER_HOUR),
    }
    return " or ".join(tagged(figure, expression, "figure") for figure, expression in parts.items())


def unit_costs(scope: Scope) -> str:
    """The past hour's cost of each policy per request and per million tokens, split by ``per`` and ``currency``.

    Read from the ledger, whatever the accelerators were doing: idle and starting ones are in it (OpenCost's ``allocation``
    basis).  Nothing served is no cost per anything, not an infinite one.

    Args:
        scope: with an hour as its windows.
    """
    cost = f"sum {scope.by(*POLICY, 'currency')} ({scope.selector(Recorded.LEDGER, _figure(LedgerFigure.COST))})"
    requests, prompt, cached, output = (
        f"sum {scope.by(*POLICY)} ({scope.selector(Recorded.LEDGER, _figure(figure))})"
        for figure in (
            LedgerFigure.REQUESTS,
            LedgerFigure.PROMPT_TOKENS,
            LedgerFigure.CACHED_TOKENS,
            LedgerFigure.OUTPUT_TOKENS,
        )
    )
    prefill, decode = (
        f"sum {scope.by(*POLICY)} ({variants(scope, f'{metric}_sum', increase(scope))})"
        for metric in (EngineMetric.PREFILL_TIME, EngineMetric.DECODE_TIME)
    )
    on = f"{scope.on(*POLICY)} group_left ()"
    of_input = f"{cost} * {on} ({prefill} / ({prefill} + {decode}))"
    of_output = f"{cost} * {on} ({decode} / ({prefill} + {decode}))"
    parts = {
        Per.REQUEST: f"{cost} / {on} ({requests} > 0)",
        Per.MILLION_TOKENS: f"1e6 * {cost} / {on} ({prompt} + {output} > 0)",
        Per.MILLION_INPUT_TOKENS: f"1e6 * {of_input} / {on} ({prompt} > 0)",
        Per.MILLION_COMPUTED_INPUT_TOKENS: f"1e6 * {of_input} / {on} ({prompt} - {cached} > 0)",
        Per.MILLION_OUTPUT_TOKENS: f"1e6 * {of_output} / {on} ({output} > 0)",
    }
    return " or ".join(tagged(per, expression, "per") for per, expression in parts.items())


def ledger_of(scope: Scope, policies: Iterable[str], span: timedelta) -> str:
    """Recorded hours of some policies, at each full hour of a span, by ``figure``; variants and states together.

    The samples without labels say which share of each hour is known at all.

    Args:
        scope: which series to read.
        policies: their names; those of other namespaces are answered as well.
        span: how far back.
    """
    matching = f'policy=~"{"|".join(sorted(set(policies)))}"'
    recorded = f"sum without (variant, state) ({scope.selector(Recorded.LEDGER, matching)})"
    split = scope.by(*POLICY, "figure", *_OFFERING, "currency")
    known = f"max({scope.selector(Recorded.OPERATORS_SEEN)})"
    return f"(max {split} ({recorded}) or {known})[{promql_duration(span)}:1h]"


def _figure(figure: LedgerFigure) -> str:
    return f'figure="{figure}"'


def _minutes(scope: Scope) -> str:
    """Recorded minutes of the past hour in which it is known what was held."""
    counted = f"count_over_time({scope.selector(Recorded.HOLDINGS_KNOWN)}[{promql_duration(scope.shape_window)}])"
    return f"max {scope.by()} ({counted})"


def _per_minute(scope: Scope, recorded: Recorded, *matchers: str, by: tuple[str, ...] = ()) -> str:
    """Mean over the past hour of what was recorded each minute; a minute without a sample counts as 0."""
    total = f"sum_over_time({scope.selector(recorded, *matchers)}[{promql_duration(scope.shape_window)}])"
    return f"(sum {scope.by(*VARIANT, *by)} ({total}) / {scope.on()} group_left () {_minutes(scope)})"


def _share(scope: Scope, recorded: Recorded) -> str:
    """Share of the past hour's known minutes in which a policy had samples of a series."""
    counted = f"count_over_time({scope.selector(recorded)}[{promql_duration(scope.shape_window)}])"
    return f"(max {scope.by(*POLICY)} ({counted}) / {scope.on()} group_left () {_minutes(scope)})"
