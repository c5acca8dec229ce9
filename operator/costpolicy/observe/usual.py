"""What an hour of a policy usually costs, so that an unusual one is seen.

Two figures, because each alone is fooled: the median of the same hour on the last seven days does not follow one odd day, but
knows no weekdays; the same hour a week ago knows them, but may have been odd itself.  The greater of both counts.  An hour in
which nothing was held cost 0, where it is known what was held; where that is not known the hour is left out.
"""

from typing import Final

from costpolicy.observe.attribution import POLICY
from costpolicy.observe.exported import Recorded
from costpolicy.observe.ledger import LedgerFigure
from costpolicy.observe.queries import tagged
from costpolicy.observe.scope import Scope

DAYS: Final = 7
FEWEST_DAYS: Final = 4
"""Days whose hour must be known: the median of fewer is one of two."""
KNOWN_SHARE: Final = "0.9"
"""Share of an hour of which it has to be known what was held for its cost to be known."""
_BY: Final = (*POLICY, "currency")


def cost_of_the_hour(scope: Scope) -> str:
    """What the past hour cost each policy, by currency."""
    cost = scope.selector(Recorded.LEDGER, f'figure="{LedgerFigure.COST}"')
    return f"sum {scope.by(*_BY)} ({cost})"


def usual_cost(scope: Scope) -> str:
    """What the past hour usually costs each policy that held something a week ago; none where too few days are known."""
    days = " or ".join(tagged(str(day), _ago(scope, day), "day") for day in range(1, DAYS + 1))
    median = f"quantile {scope.by(*_BY)} (0.5, {days})"
    either = f"{tagged('days', median, 'of')} or {tagged('week', _ago(scope, DAYS), 'of')}"
    enough = f"count {scope.by(*_BY)} ({days}) >= {FEWEST_DAYS}"
    # A week old: what was made since has no usual cost.
    old = f"last_over_time({scope.selector(Recorded.POLICY_COST)}[1d] offset {DAYS - 1}d)"
    return f"max {scope.by(*_BY)} ({either}) and {enough} and {scope.on(*POLICY)} {old}"


def _ago(scope: Scope, days: int) -> str:
    """The cost of the same hour some days ago."""
    cost, seen = (scope.selector(name) for name in (Recorded.POLICY_COST, Recorded.OPERATORS_SEEN))
    return f"(({cost} offset {days}d or {cost} * 0) and {scope.on()} {seen} offset {days}d >= {KNOWN_SHARE})"
