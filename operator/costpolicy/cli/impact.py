"""``costpolicy impact``: what a change was worth, from a window before it and one after it."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from costpolicy.savings.impact import Impact
    from costpolicy.savings.window import Window


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "impact",
        help="what a change was worth, from two windows",
        description="Compare a window before a change with one after it. A window is JSON: totalCost, "
        "requests, promptTokens, outputTokens and, if known, quality and costAtBaselinePrices (what the same accelerators "
        'would have cost at the prices of the baseline); or {"hours": [...]} of those, which alone tell the change from the '
        "traffic.",
    )
    parser.add_argument("--baseline", metavar="FILE", required=True, help="window before the change (- is stdin)")
    parser.add_argument("--current", metavar="FILE", required=True, help="window of the same length after it")
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the three figures, and what explains the first of them."""
    from costpolicy.savings.impact import measure_impact

    baseline = _window(arguments.baseline, console)
    current = _window(arguments.current, console)
    impact = measure_impact(baseline, current)
    if arguments.output == "table":
        for line in _lines(impact):
            console.print(line)
    else:
        console.dump(answer(impact), arguments.output)
    return DONE


def answer(impact: "Impact") -> dict[str, Any]:
    """Return the JSON answer; null where nothing can be said."""
    return {
        "costReduction": None if impact.cost_reduction is None else float(impact.cost_reduction),
        "efficiencyImprovement": (
            None if impact.efficiency_improvement is None else float(impact.efficiency_improvement)
        ),
        "qualityMaintained": impact.quality_maintained,
        "interval": None if impact.interval is None else dataclasses.asdict(impact.interval),
        "attribution": None if impact.attribution is None else dataclasses.asdict(impact.attribution),
        "reason": impact.reason,
    }


def _window(path: str, console: Console) -> "Window":
    from costpolicy.savings.windows import WindowError, parse_window

    try:
        return parse_window(console.read(path))
    except WindowError as error:
        raise InputError(f"{path}: {error}") from error


def _lines(impact: "Impact") -> list[str]:
    def share(value: Any) -> str:  # noqa: ANN401 - a fraction or None
        return "-" if value is None else f"{float(value):+.1%}"

    kept = {True: "yes", False: "no", None: "-"}[impact.quality_maintained]
    return [
        f"Cost reduction          {share(impact.cost_reduction)}",
        f"Efficiency improvement  {share(impact.efficiency_improvement)}",
        f"Quality maintained      {kept}",
        *_explained(impact),
        *([f"Not said                {impact.reason}"] if impact.reason else []),
    ]


def _explained(impact: "Impact") -> list[str]:
    if impact.interval is None or impact.attribution is None:
        return []
    low, high, level = impact.interval.low, impact.interval.high, impact.interval.level
    parts = dataclasses.asdict(impact.attribution)
    return [
        f"Saved by the change     {low:+.1%} to {high:+.1%} ({level:.0%})",
        f"Of the cost reduction   {', '.join(f'{name} {share:+.1%}' for name, share in parts.items())}",
    ]
