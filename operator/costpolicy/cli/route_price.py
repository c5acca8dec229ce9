"""``costpolicy route price``: what a million tokens cost over several tiers."""

import argparse
from typing import TYPE_CHECKING, Any

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from costpolicy.routing.tiers import Tier


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "price",
        help="what a million tokens cost over tiers, and what that saves",
        description="Blend the prices of tiers by their shares of the traffic's tokens.",
    )
    parser.add_argument(
        "-f",
        "--file",
        metavar="FILE",
        required=True,
        help="YAML or JSON with tiers[]: name, perMillionTokens, complexityBelow (not of the last), share (- is stdin)",
    )
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Price and print."""
    import yaml

    from costpolicy.routing.tiers import TierError, parse_tiers

    try:
        tiers = parse_tiers(yaml.safe_load(console.read(arguments.file)))
    except (TierError, yaml.YAMLError) as error:
        raise InputError(f"{arguments.file}: {error}") from error
    found = answer(tiers)
    if arguments.output != "table":
        console.dump(found, arguments.output)
        return DONE
    console.print(f"{found['blendedPerMillionTokens']} per million tokens")
    for name, saving in found["savingAgainst"].items():
        console.print(f"{'-' if saving is None else f'{saving:+.1%}'} against everything to {name}")
    return DONE


def answer(tiers: "tuple[Tier, ...]") -> dict[str, Any]:
    """Return the JSON answer."""
    from costpolicy.routing.tiers import blended, saving_against

    savings = {tier.name: saving_against(tiers, tier) for tier in tiers}
    return {
        "blendedPerMillionTokens": blended(tiers).text(),
        "savingAgainst": {
            name: None if saving is None else round(float(saving), 4) for name, saving in savings.items()
        },
    }
