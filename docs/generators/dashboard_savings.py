"""The dashboard of savings."""

from dashboard_parts import bars, board, lines, number, row
from dashboard_queries import (
    ALLOCATED,
    MONEY,
    POLICY,
    added,
    by_feature,
    cached_share,
    chosen,
    gauge,
    per,
    saved_in_span,
)
from grafana_foundation_sdk.builders.dashboard import Dashboard

from costpolicy.observe.exported import SAVED_PER_HOUR, AcceleratorState, Recorded
from costpolicy.observe.ledger import Per


def savings() -> Dashboard:
    """What changes saved, and what is still wasted."""
    idle = f'state=~"{AcceleratorState.IDLE}|{AcceleratorState.STARTING}|{AcceleratorState.STOPPING}"'
    made = board(
        "costpolicy-savings",
        "CostPolicy / Savings",
        "What changes saved, allocated and realised, and what is still paid for nothing.",
        "now-30d",
        several=True,
    )
    return (
        made.with_row(row("Proven"))
        .with_panel(
            number(
                "Saved an hour, allocated",
                "By the last change of each policy: price x accelerators, as its receipt says.",
                MONEY,
                added(SAVED_PER_HOUR, 'basis="allocated"'),
                legend="{{currency}}",
                width=8,
            )
        )
        .with_panel(
            number(
                "Saved an hour, realised",
                "Of that, what has left the bill: the node is gone, or somebody else uses the accelerator.",
                MONEY,
                added(SAVED_PER_HOUR, 'basis="realised"'),
                legend="{{currency}}",
                width=8,
            )
        )
        .with_panel(
            number(
                "Saved in this span, allocated",
                "The same added up by hour.",
                MONEY,
                saved_in_span(),
                legend="{{currency}}",
                width=8,
            )
        )
        .with_panel(
            bars(
                "Saved an hour by policy",
                "Allocated; a change that made requests dearer is below zero.",
                MONEY,
                f"topk(15, {gauge(SAVED_PER_HOUR, ALLOCATED)})",
                legend=f"{POLICY} {{{{currency}}}}",
            )
        )
        .with_panel(
            lines(
                "Saved an hour over time",
                "All policies together.",
                MONEY,
                {"{{basis}} {{currency}}": f"sum by (basis, currency) ({gauge(SAVED_PER_HOUR)})"},
            )
        )
        .with_row(row("What a unit costs"))
        .with_panel(
            lines(
                "Cost per thousand requests",
                "Of the past hour.",
                MONEY,
                {f"{POLICY} {{{{currency}}}}": f"1000 * {chosen(Recorded.UNIT_COST, per(Per.REQUEST))}"},
            )
        )
        .with_panel(
            lines(
                "Cost per million tokens",
                "Of the past hour, prompt and output tokens.",
                MONEY,
                {f"{POLICY} {{{{currency}}}}": chosen(Recorded.UNIT_COST, per(Per.MILLION_TOKENS))},
            )
        )
        .with_panel(
            lines(
                "Cost of an hour by feature",
                "As far as routers saw it; what they did not see is in no line.",
                MONEY,
                {"{{feature}} {{currency}}": by_feature()},
                stacked=True,
            )
        )
        .with_row(row("Still paid for"))
        .with_panel(
            lines(
                "Cost an hour of accelerators that do not serve",
                "Starting, idle and stopping ones.",
                MONEY,
                {
                    "{{state}} {{currency}}": f"sum by (state, currency) ({chosen(Recorded.OFFERING_COST_PER_HOUR, idle)})"
                },
                stacked=True,
            )
        )
        .with_panel(
            lines(
                "Share of prompt tokens found in the prefix cache",
                "Of the past hour. It saves nothing until an accelerator goes.",
                "percentunit",
                {POLICY: cached_share()},
            )
        )
    )
