"""A plan for the terminal."""

from typing import TYPE_CHECKING

from rich.console import Console as Terminal
from rich.table import Table

from costpolicy.cli.console import Console
from costpolicy.planning.explain import describe
from costpolicy.planning.plan import Target, Verdict

if TYPE_CHECKING:
    from costpolicy.cli.offline import Planned

FEW = 8


def print_plan(planned: "Planned", console: Console, shown: int | None) -> None:
    """Print the target, why nothing is cheaper, and the nearest rivals (all of them with ``shown`` None)."""
    plan, currency = planned.plan, planned.request.currency
    console.print(planned.policy.key)
    if plan.infeasible is not None:
        console.print(f"  no plan: {plan.infeasible.reason}: {plan.infeasible.message}")
    if plan.target is not None:
        console.print(f"  target       {_line(plan.target, currency)}")
        console.print(f"  predicted    {_predicted(plan.target)}")
    for setting in plan.settings:
        console.print(f"  setting      {setting}")
    if plan.recommended is not None:
        console.print(f"  recommended  {_line(plan.recommended, currency)}, through the quality gate")
    if plan.why_not_cheaper:
        console.print(f"  cheaper?     {plan.why_not_cheaper}")
    if plan.demand.assumed:
        console.print("  traffic      assumed: one request at a time of 1,000 + 250 tokens; state spec.traffic")
    Terminal(file=console.out, width=140, highlight=False).print(_table(planned, FEW if shown else None))


def _table(planned: "Planned", shown: int | None) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("configuration", "$/h from", "verdict", "reason"):
        table.add_column(column, overflow="fold")
    order = sorted(planned.plan.candidates, key=lambda one: (one.verdict != Verdict.CHOSEN, one.cost_floor))
    for candidate in order[:shown]:
        table.add_row(
            describe(candidate.configuration),
            candidate.cost_floor.text(2),
            candidate.verdict.value,
            candidate.message if candidate.verdict == Verdict.REJECTED else candidate.reason,
        )
    if shown is not None and len(order) > shown:
        table.add_row(f"... {len(order) - shown} more: --all", "", "", "")
    return table


def _line(target: Target, currency: str) -> str:
    monthly = target.cost_per_hour.monthly().text(2)
    return f"{describe(target.configuration, target.replicas)}: {target.cost_per_hour.text(2)} {currency} an hour, {monthly} a month"


def _predicted(target: Target) -> str:
    ttft, inter_token = target.predicted.ttft.p95 * 1000, target.predicted.inter_token.p95 * 1000
    latency = f"TTFT p95 {ttft:,.0f} ms, inter-token latency p95 {inter_token:,.1f} ms"
    return f"{latency}, up to {target.capacity_per_replica:.2f} requests/s a replica"
