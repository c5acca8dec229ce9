"""``costpolicy simulate``: the operator against a made-up week, and what a plain deployment would have done."""

import argparse
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from costpolicy.cli.console import DONE, NO, Console, InputError

if TYPE_CHECKING:
    from costpolicy.simulation.scenario import Scenario

_Found = TypeVar("_Found")


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "simulate",
        help="the operator against a made-up week: timeline, bill, and a static deployment and a HorizontalPodAutoscaler "
        "beside it",
        description="Play a scenario: the real reconciler against a simulated cluster, clock and traffic. The exit code is 1 "
        "if something that the scenario expects does not come true.",
    )
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="NAME", help="a shipped scenario; see --list")
    what.add_argument("-f", "--file", metavar="FILE", help="a scenario of your own; - for stdin")
    what.add_argument("--list", action="store_true", help="name the shipped scenarios")
    what.add_argument("--print", metavar="NAME", help="print a shipped scenario, to begin your own with")
    command.add_argument("--hours", action="store_true", help="a line for each hour instead of each day and event")
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


@contextmanager
def _without_collection() -> Iterator[None]:
    """Look for no cycles: a week makes none, keeps no more memory without, and is loaded and played in nine tenths of the
    time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_without_collection()
def run(arguments: argparse.Namespace, console: Console) -> int:
    """Play and print."""
    from costpolicy.simulation.scenario import shipped, shipped_text

    if arguments.list:
        return _list(shipped(), arguments.output, console)
    if arguments.print:
        console.out.write(_known(arguments.print, shipped_text))
        return DONE

    from costpolicy.cli.simulate_json import simulation_json
    from costpolicy.simulation.bounds import bounds
    from costpolicy.simulation.play import play

    try:
        played = play(_scenario(arguments, console))
    except LookupError as error:
        raise InputError(f"{error.args[0]}") from error
    found = bounds(played)
    if arguments.output == "table":
        from costpolicy.cli.simulate_table import print_simulation

        print_simulation(played, found, console, hours=arguments.hours)
    else:
        console.dump(simulation_json(played, found), arguments.output)
    return DONE if all(bound.kept for bound in found) else NO


def _scenario(arguments: argparse.Namespace, console: Console) -> "Scenario":
    from costpolicy.simulation.scenario import ScenarioError, load_scenario, shipped_scenario

    if arguments.file is None:
        return _known(arguments.name, shipped_scenario)
    try:
        return load_scenario(console.read(arguments.file), arguments.file)
    except ScenarioError as error:
        raise InputError(str(error)) from error


def _known(name: str, look_up: Callable[[str], _Found]) -> _Found:
    try:
        return look_up(name)
    except LookupError as error:
        raise InputError(f"{error.args[0]}") from error


def _list(scenarios: Mapping[str, "Scenario"], form: str, console: Console) -> int:
    if form != "table":
        console.dump([{"name": name, "about": scenario.about} for name, scenario in scenarios.items()], form)
        return DONE
    width = max(map(len, scenarios))
    for name, scenario in scenarios.items():
        console.print(f"{name:<{width}}  {scenario.about}")
    return DONE
