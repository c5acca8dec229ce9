"""The dashboard of one policy."""

from dashboard_parts import board, lines, listing, row
from dashboard_queries import MONEY, chosen, gauge, objective
from grafana_foundation_sdk.builders.dashboard import Dashboard

from costpolicy.observe.exported import BUDGET, MONTH_FORECAST, MONTH_SPENT, UNMET_CONDITION, Recorded


def policy() -> Dashboard:
    """One policy: what it serves, keeps and costs."""
    made = board(
        "costpolicy-policy",
        "CostPolicy / Policy",
        "What one policy serves, whether it keeps its promise, and what it costs.",
        "now-24h",
        several=False,
    )
    return (
        made.with_row(row("Promise"))
        .with_panel(
            lines(
                "Time to first token",
                "By variant, beside the objective.",
                "s",
                {
                    "p95 {{variant}}": chosen(Recorded.TTFT_P95),
                    "p50 {{variant}}": chosen(Recorded.TTFT_P50),
                    "objective": objective("ttft"),
                },
            )
        )
        .with_panel(
            lines(
                "Time between two tokens",
                "95th percentile by variant, beside the objective. With speculative decoding it is that of steps.",
                "s",
                {"p95 {{variant}}": chosen(Recorded.INTER_TOKEN_P95), "objective": objective("inter_token_latency")},
            )
        )
        .with_panel(
            listing(
                "Promises that are not kept",
                "Conditions that are False, and why.",
                f"max by (condition, reason) ({chosen(UNMET_CONDITION.name)})",
                width=8,
            )
        )
        .with_panel(
            lines(
                "Requests in work",
                "Running, and waiting.",
                "short",
                {
                    "running": chosen(Recorded.POLICY_REQUESTS_RUNNING),
                    "waiting": chosen(Recorded.POLICY_REQUESTS_WAITING),
                },
                width=8,
            )
        )
        .with_panel(
            lines(
                "KV caches in use",
                "Of all replicas together: 2 is two full ones.",
                "short",
                {"in use": chosen(Recorded.POLICY_KV_CACHE_USAGE)},
                width=8,
            )
        )
        .with_row(row("Load"))
        .with_panel(
            lines(
                "Requests",
                "A second: offered, and finished by how they ended.",
                "reqps",
                {
                    "offered": chosen(Recorded.POLICY_REQUESTS_OFFERED),
                    "{{finished_reason}}": f"sum by (finished_reason) ({chosen(Recorded.REQUESTS_FINISHED)})",
                },
            )
        )
        .with_panel(
            lines(
                "Tokens",
                "A second.",
                "short",
                {
                    "prompt": f"sum({chosen(Recorded.PROMPT_TOKENS)})",
                    "prompt, computed": f"sum({chosen(Recorded.COMPUTED_PROMPT_TOKENS)})",
                    "generated": f"sum({chosen(Recorded.GENERATED_TOKENS)})",
                },
            )
        )
        .with_row(row("Money"))
        .with_panel(
            lines(
                "Cost an hour by variant",
                "At the prices in force.",
                MONEY,
                {"{{variant}}": f"sum by (variant) ({chosen(Recorded.COST_PER_HOUR)})"},
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "The past hour beside what it usually costs",
                "Usual is the greater of the median of seven days and the same hour a week ago.",
                MONEY,
                {
                    "past hour {{currency}}": chosen(Recorded.POLICY_COST),
                    "usual {{currency}}": chosen(Recorded.USUAL_COST),
                },
            )
        )
        .with_panel(
            lines(
                "Cost per million tokens",
                "Of the past hour, everything held included.",
                MONEY,
                {"{{per}} {{currency}}": chosen(Recorded.UNIT_COST, 'per=~"million_.+"')},
            )
        )
        .with_panel(
            lines(
                "The month",
                "Spent, forecast and budget.",
                MONEY,
                {
                    "spent {{currency}}": gauge(MONTH_SPENT),
                    "forecast {{currency}}": gauge(MONTH_FORECAST),
                    "budget {{currency}}": gauge(BUDGET, 'period="month"'),
                },
            )
        )
        .with_panel(
            lines(
                "Accelerators by what they do",
                "All of them cost the same.",
                "short",
                {
                    "{{accelerator}} {{state}}": f"sum by (accelerator, state) ({chosen(Recorded.OFFERING_ACCELERATORS)})"
                },
                stacked=True,
                width=24,
            )
        )
    )
