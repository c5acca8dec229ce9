"""What dashboards ask, by the constants that export and record it."""

from dashboard_parts import CHOSEN

from costpolicy.observe.exported import OBJECTIVE, SAVED_PER_HOUR, ExportedGauge, Recorded
from costpolicy.observe.ledger import LedgerFigure, Per

POLICY = "{{namespace}}/{{policy}}"
MONEY = "short"
"""No unit: the currency is a label, and stands in the legend."""
ALLOCATED = 'basis="allocated"'


def chosen(series: str, *matchers: str) -> str:
    """A series of what is chosen."""
    return f"{series}{{{','.join([CHOSEN, *matchers])}}}"


def gauge(of: ExportedGauge, *matchers: str) -> str:
    """A gauge of the operator, once however many operators or Prometheus servers tell it."""
    return f"max by ({', '.join(of.labels)}) ({chosen(of.name, *matchers)})"


def added(of: ExportedGauge, *matchers: str) -> str:
    """A gauge, added up over policies."""
    return f"sum by (currency) ({gauge(of, *matchers)})"


def objective(name: str) -> str:
    """An objective, in seconds."""
    return gauge(OBJECTIVE, f'objective="{name}"')


def per(unit: Per) -> str:
    """A matcher of unit costs."""
    return f'per="{unit}"'


def saved_in_span() -> str:
    """What was saved in the time that is shown."""
    return f"sum by (currency) (sum_over_time(({gauge(SAVED_PER_HOUR, ALLOCATED)})[$__range:1h]))"


def by_feature() -> str:
    """What the past hour cost each feature, in accelerators and in tokens that were bought."""
    of_policies = f"max by (namespace, policy, feature, currency) ({chosen(Recorded.FEATURE_COST)})"
    bought = f'max by (namespace, route, tier, feature, currency) ({Recorded.BOUGHT_COST}{{namespace=~"$namespace"}})'
    return f"sum by (feature, currency) ({of_policies} or {bought})"


def cached_share() -> str:
    """Share of prompt tokens that were not computed."""
    cached, prompt = (
        f"sum by (namespace, policy) ({chosen(Recorded.LEDGER, matcher)})"
        for matcher in (f'figure="{LedgerFigure.CACHED_TOKENS}"', f'figure="{LedgerFigure.PROMPT_TOKENS}"')
    )
    return f"{cached} / ({prompt} > 0)"
