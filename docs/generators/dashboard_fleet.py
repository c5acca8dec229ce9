"""The dashboard of the fleet."""

from dashboard_parts import bars, board, lines, listing, number, row
from dashboard_queries import MONEY, POLICY, added, chosen
from grafana_foundation_sdk.builders.dashboard import Dashboard

from costpolicy.observe.exported import BUDGET, MONTH_FORECAST, MONTH_SPENT, UNMET_CONDITION, Recorded


def fleet() -> Dashboard:
    """What everything costs, what it is doing, and which promises are not kept."""
    cost, by_policy = Recorded.POLICY_COST_PER_HOUR, "namespace, policy, currency"
    by_offering = "accelerator, capacity_type, currency"
    made = board(
        "costpolicy-fleet",
        "CostPolicy / Fleet",
        "What all policies cost and which promises are not kept.",
        "now-7d",
        several=True,
    )
    return (
        made.with_row(row("Money"))
        .with_panel(
            number(
                "Cost an hour",
                "At the prices in force, whatever accelerators do.",
                MONEY,
                f"sum by (currency) ({chosen(cost)})",
                legend="{{currency}}",
            )
        )
        .with_panel(
            number(
                "Spent this month",
                "Since the month began, UTC; gaps cost nothing.",
                MONEY,
                added(MONTH_SPENT),
                legend="{{currency}}",
            )
        )
        .with_panel(
            number(
                "Forecast of the month",
                "Of policies with a monthly budget.",
                MONEY,
                added(MONTH_FORECAST),
                legend="{{currency}}",
            )
        )
        .with_panel(
            number(
                "Budgets of the month",
                "Of policies that have one.",
                MONEY,
                added(BUDGET, 'period="month"'),
                legend="{{currency}}",
            )
        )
        .with_panel(
            lines(
                "Cost an hour, the ten dearest policies",
                "The rest is not shown.",
                MONEY,
                {f"{POLICY} {{{{currency}}}}": f"topk(10, max by ({by_policy}) ({chosen(cost)}))"},
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Cost an hour by accelerator",
                "By how they are paid for.",
                MONEY,
                {
                    "{{accelerator}} {{capacity_type}} {{currency}}": f"sum by ({by_offering}) ({chosen(Recorded.OFFERING_COST_PER_HOUR)})"
                },
                stacked=True,
            )
        )
        .with_panel(
            bars(
                "The past hour beside what it usually costs",
                f"1 is usual; the alert fires above 1.5. Usual is {Recorded.USUAL_COST}.",
                MONEY,
                f"topk(10, {chosen(Recorded.POLICY_COST)} / {chosen(Recorded.USUAL_COST)})",
                legend=POLICY,
            )
        )
        .with_panel(
            listing(
                "Promises that are not kept",
                "Conditions of policies that are False, and why.",
                f"max by (namespace, policy, condition, reason) ({chosen(UNMET_CONDITION.name)})",
            )
        )
        .with_row(row("Accelerators"))
        .with_panel(
            lines(
                "Accelerators by what they do",
                "All of them cost the same.",
                "short",
                {"{{state}}": f"sum by (state) ({chosen(Recorded.OFFERING_ACCELERATORS)})"},
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Requests offered",
                "A second, the ten busiest policies.",
                "reqps",
                {POLICY: f"topk(10, {chosen(Recorded.POLICY_REQUESTS_OFFERED)})"},
            )
        )
        .with_row(row("Operator"))
        .with_panel(
            lines(
                "Operators",
                "Scraped, and leading.",
                "short",
                {"scraped": str(Recorded.OPERATORS), "leading": "sum(costpolicy_leader)"},
                width=8,
            )
        )
        .with_panel(
            lines(
                "Reconciles",
                "A second, by how they ended.",
                "ops",
                {"{{result}}": "sum by (result) (rate(costpolicy_reconcile_total[$__rate_interval]))"},
                width=8,
            )
        )
        .with_panel(
            lines(
                "Time of a reconcile",
                "95th percentile.",
                "s",
                {
                    "p95": "histogram_quantile(0.95, sum by (le) (rate(costpolicy_reconcile_duration_seconds_bucket[$__rate_interval])))"
                },
                width=8,
            )
        )
    )
