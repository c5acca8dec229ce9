"""Windows as users write them: JSON with totals, or with ``hours`` that are added up."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from costpolicy.savings.window import Window
from costpolicy.units import Money

_REQUIRED: Final = ("totalCost", "requests", "promptTokens", "outputTokens")
_ALLOWED: Final = frozenset({*_REQUIRED, "quality", "costAtBaselinePrices"})


class WindowError(ValueError):
    """A window is not written as expected; the message names the field and what to write."""


def parse_window(text: str) -> Window:
    """Read a window: ``{"totalCost", "requests", "promptTokens", "outputTokens", "quality"?, "costAtBaselinePrices"?}``
    or ``{"hours": [...]}``.

    Numbers are read exactly, not as floats.

    Raises:
        WindowError: the text is not such a window.
    """
    try:
        document = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise WindowError(f"line {error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise WindowError("a window is a JSON object")
    if "hours" not in document:
        return _totals(document, "")
    if len(document) > 1:
        raise WindowError("give either hours or totals, not both")
    hours = document["hours"]
    if not isinstance(hours, list) or not hours:
        raise WindowError("hours must be a list of at least one window")
    return _added([_totals(hour, f"hours[{number}].") for number, hour in enumerate(hours)])


def _no_constant(name: str) -> Fraction:
    raise WindowError(f"{name} is not a number that a window may hold")


def _totals(document: Any, where: str) -> Window:  # noqa: ANN401 - any JSON value
    if not isinstance(document, dict):
        raise WindowError(f"{where.rstrip('.')} is not a JSON object")
    unknown = sorted(document.keys() - _ALLOWED)
    missing = [name for name in _REQUIRED if name not in document]
    if unknown or missing:
        found = f"{where}{unknown[0]} is unknown" if unknown else f"{where}{missing[0]} is missing"
        raise WindowError(f"{found}: write {', '.join(_REQUIRED)} and, if known, quality and costAtBaselinePrices")
    return Window(
        total_cost=_money(document, "totalCost", where),
        requests=_number(document, "requests", where),
        prompt_tokens=_number(document, "promptTokens", where),
        output_tokens=_number(document, "outputTokens", where),
        quality=None if document.get("quality") is None else _number(document, "quality", where),
        cost_at_baseline_prices=(
            None if document.get("costAtBaselinePrices") is None else _money(document, "costAtBaselinePrices", where)
        ),
    )


def _money(document: Mapping[str, Any], name: str, where: str) -> Money:
    value = document[name]
    if not isinstance(value, str):
        return Money(round(_number(document, name, where) * 1_000_000))
    try:
        return Money.parse(value)
    except ValueError as error:
        raise WindowError(f"{where}{name}: {error}") from None


def _number(document: Mapping[str, Any], name: str, where: str) -> Fraction:
    value = document[name]
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        raise WindowError(f"{where}{name} must be a number of at least 0")
    return Fraction(value)


def _added(hours: Sequence[Window]) -> Window:
    """Add hours up; quality is the mean over the hours that have one, weighted by their requests.

    Costs at the baseline's prices are known of all hours or of none.
    """
    priced = [hour.cost_at_baseline_prices for hour in hours if hour.cost_at_baseline_prices is not None]
    if 0 < len(priced) < len(hours):
        raise WindowError("costAtBaselinePrices must be given in every hour or in none")
    judged = [(hour.quality, hour.requests) for hour in hours if hour.quality is not None]
    weight = sum((requests for _, requests in judged), Fraction(0))
    return Window(
        total_cost=Money(sum(hour.total_cost.micros for hour in hours)),
        requests=sum((hour.requests for hour in hours), Fraction(0)),
        prompt_tokens=sum((hour.prompt_tokens for hour in hours), Fraction(0)),
        output_tokens=sum((hour.output_tokens for hour in hours), Fraction(0)),
        quality=sum((quality * requests for quality, requests in judged), Fraction(0)) / weight if weight else None,
        cost_at_baseline_prices=Money(sum(one.micros for one in priced)) if priced else None,
        hours=tuple(hours),
    )
