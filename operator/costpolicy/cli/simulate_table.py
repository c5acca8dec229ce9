"""A played scenario for the terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console as Terminal
from rich.table import Table

from costpolicy.api.reasons import Reason
from costpolicy.cli.console import Console
from costpolicy.planning.explain import describe
from costpolicy.simulation.bounds import Bound, savings
from costpolicy.simulation.deployed import Result
from costpolicy.simulation.play import Compared, Played
from costpolicy.simulation.timeline import Piece, pieces

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_WIDTH: Final = 132


def print_simulation(played: Played, bounds: Sequence[Bound], console: Console, *, hours: bool) -> None:
    """Print each policy's timeline and bill, and what was expected."""
    scenario, terminal = played.scenario, Terminal(file=console.out, width=_WIDTH, highlight=False)
    console.print(f"{scenario.name}: {scenario.about}")
    for compared in played.policies:
        console.print(f"\n{compared.policy}")
        terminal.print(_timeline(compared, played.start, _HOUR if hours else _DAY))
        for line in _events(compared, played.start):
            console.print(line)
        terminal.print(_bill(compared, played.currency))
    terminal.print(_expected(bounds))


def _timeline(compared: Compared, start: datetime, length: timedelta) -> Table:
    table = _table("time", "requests/s", "replicas", "inside", "cost")
    for piece in pieces(compared.intervals, start, length):
        table.add_row(
            _clock(piece.at, start),
            f"{piece.requests_per_second:.1f}",
            _span(piece),
            f"{piece.result.share:.2%}",
            piece.result.cost.money().text(2),
        )
    return table


def _events(compared: Compared, start: datetime) -> Iterator[str]:
    """Yield what was decided and why; changes of replicas are counted, for they are many."""
    scaled = sum(each.reason == Reason.SCALED for each in compared.happenings)
    for each in compared.happenings:
        if each.reason != Reason.SCALED:
            yield f"  {_clock(each.at, start)}  {each.reason}: {each.note}"
    yield f"  {scaled} changes of replicas"


def _bill(compared: Compared, currency: str) -> Table:
    table = _table("", f"cost ({currency})", "inside", "most replicas", "the operator saves")
    named = (
        ("operator", compared.result),
        ("static peak", compared.static_peak),
        ("HorizontalPodAutoscaler", compared.autoscaler),
    )
    for name, result in named:
        saved = "" if result is compared.result else f"{savings(compared.result.cost.exact, result.cost.exact):.1%}"
        table.add_row(name, *_figures(result), saved)
    first = describe(compared.configurations[0]) if compared.configurations else "nothing"
    table.caption = f"both others run {first}"
    table.caption_justify = "left"
    return table


def _figures(result: Result) -> tuple[str, str, str]:
    return result.cost.money().text(2), f"{result.share:.2%}", str(result.most_replicas)


def _expected(bounds: Sequence[Bound]) -> Table:
    table = _table("policy", "expected", "asked for", "found", "")
    for bound in bounds:
        table.add_row(bound.policy, bound.what, bound.asked, bound.found, "yes" if bound.kept else "NO")
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _clock(at: datetime, start: datetime) -> str:
    return f"day {(at - start) // _DAY + 1} {at:%H:%M}"


def _span(piece: Piece) -> str:
    return str(piece.most) if piece.fewest == piece.most else f"{piece.fewest}-{piece.most}"
