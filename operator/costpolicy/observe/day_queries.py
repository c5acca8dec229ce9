"""The question about days, beside those of :mod:`costpolicy.observe.queries`."""

from costpolicy.observe.attribution import POLICY
from costpolicy.observe.days import DAY, DAYS, HIGH, WEEK, WEEKLY, Stretch
from costpolicy.observe.exported import Recorded
from costpolicy.observe.queries import tagged
from costpolicy.observe.scope import Scope, promql_duration


def offered_over_days(scope: Scope) -> str:
    """High quantiles of a policy's offered five-minute rates, by ``stretch`` of its history (``namespace, policy``).

    Days end now, and not at midnight of some time zone.  A day that lies outside the window is not asked for.
    """
    history = scope.selector(Recorded.POLICY_REQUESTS_OFFERED)
    window = promql_duration(scope.window)
    parts = {
        Stretch.MOST: f"max_over_time({history}[{promql_duration(min(DAY, scope.window))}])",
        Stretch.ALL: f"quantile_over_time({HIGH}, {history}[{window}])",
    }
    for stretch, (ago, quantile) in DAYS.items():
        # What is compared with a week ago lies in part before the window: Prometheus is asked to keep two of them.
        if (scope.window >= WEEK) if stretch in WEEKLY else (ago + 1) * DAY <= scope.window:
            offset = f" offset {promql_duration(ago * DAY)}" if ago else ""
            parts[stretch] = f"quantile_over_time({quantile}, {history}[{promql_duration(DAY)}]{offset})"
    return " or ".join(
        tagged(stretch, f"max {scope.by(*POLICY)} ({expression})", "stretch") for stretch, expression in parts.items()
    )
