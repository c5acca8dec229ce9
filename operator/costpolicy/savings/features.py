"""A bill told by feature: what routers saw is split by recorded shares, the rest is nobody's; the parts sum to the bill exactly."""

from collections.abc import Iterable, Mapping
from typing import Final

from costpolicy.units import ZERO, Money, split_by_largest_remainder

UNATTRIBUTED: Final = "unattributed"
"""What names no feature, and what no router has seen."""
OTHER: Final = "other"
"""Features that a route does not list: labels are bounded."""
_LAST: Final = (OTHER, UNATTRIBUTED)


def split(bill: Money, recorded: Mapping[str, Money]) -> dict[str, Money]:
    """Return a bill by feature.

    Args:
        bill: what was paid, at least 0.
        recorded: what of it went to each feature, as read from rates and so not exact; at least 0 each.

    Returns:
        the parts, which sum to the bill to the micro-unit: what is recorded, and what is left as unattributed.  Where more is
        recorded than was paid, the bill is split in those proportions.
    """
    known = {feature: cost.micros for feature, cost in recorded.items() if cost.micros > 0}
    rest = max(bill.micros - sum(known.values()), 0)
    weights = {**known, UNATTRIBUTED: known.get(UNATTRIBUTED, 0) + rest}
    if not any(weights.values()):
        return {}
    parts = split_by_largest_remainder(bill.micros, list(weights.values()))
    return {feature: Money(micros) for feature, micros in zip(weights, parts, strict=True) if micros}


def together(bills: Iterable[Mapping[str, Money]]) -> dict[str, Money]:
    """Return several bills as one by feature, the dearest first; other and unattributed come last."""
    total: dict[str, Money] = {}
    for bill in bills:
        for feature, cost in bill.items():
            total[feature] = total.get(feature, ZERO) + cost
    order = sorted(
        total, key=lambda feature: (_LAST.index(feature) if feature in _LAST else -1, -total[feature].micros, feature)
    )
    return {feature: total[feature] for feature in order}
