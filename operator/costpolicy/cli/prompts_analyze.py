"""``costpolicy prompts analyze``: tokens by section, repeated text, text that comes too late to be cached, duplicates."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from costpolicy.routing.prompts.analysis import Finding, Prices
    from costpolicy.routing.prompts.tokens import Tokenizer
    from costpolicy.units import Money

APPROXIMATE: Final = "approximate"
_SHOWN: Final = 3
_WIDE: Final = 100


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "analyze",
        help="what sampled prompts spend, by feature, and what would cost less",
        description="Read sampled requests and find repeated text, shared text behind variable text, and requests that ask "
        "the same. The order of the file is taken as the order in which they were asked.",
    )
    parser.add_argument(
        "--samples", metavar="FILE", required=True, help="JSON lines, each a request to the OpenAI API (- is stdin)"
    )
    parser.add_argument(
        "--tokenizer",
        metavar="FILE",
        help="the model's tokenizer.json; needs the package tokenizers (default: an approximation)",
    )
    parser.add_argument(
        "--block-size", metavar="N", type=int, default=16, help="tokens of a KV-cache block, as the engine has it"
    )
    parser.add_argument(
        "--price",
        metavar="[MODEL=]P",
        action="append",
        default=[],
        help="of a million prompt tokens; again for each model of the samples",
    )
    parser.add_argument(
        "--feature",
        metavar="PATH",
        default="metadata.feature",
        help="where a request names the feature that asked it, as a path of fields",
    )
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Analyze and print."""
    from costpolicy.routing.prompts.analysis import PriceError, analyze
    from costpolicy.routing.prompts.samples import SampleError, parse_samples

    if arguments.block_size < 1:
        raise InputError("--block-size must be at least 1")
    prices, tokenizer = _prices(arguments.price), _tokenizer(arguments.tokenizer)
    try:
        requests = parse_samples(console.read(arguments.samples), arguments.feature)
        found = analyze(requests, tokenizer, prices, arguments.block_size)
    except SampleError as error:
        raise InputError(f"{arguments.samples}: {error}") from error
    except PriceError as error:
        raise InputError(str(error)) from error
    counted = arguments.tokenizer or APPROXIMATE
    if arguments.output != "table":
        console.dump({"tokenizer": counted, "features": [answer(finding) for finding in found]}, arguments.output)
        return DONE
    console.print(
        f"Tokens are counted by {arguments.tokenizer}"
        if arguments.tokenizer
        else "Tokens are approximate: give the model's tokenizer.json with --tokenizer"
    )
    for finding in found:
        for line in _lines(finding):
            console.print(line)
    return DONE


def answer(finding: "Finding") -> dict[str, Any]:
    """Return a finding as JSON; ratios are shares of the prompt's tokens, null without prompts."""
    order, total = finding.ordering, finding.total
    return {
        "feature": finding.feature,
        "requests": finding.requests,
        "promptTokens": total,
        "cost": _text(finding.cost),
        "sections": {str(section): count for section, count in finding.tokens.items()},
        "repeated": {
            "tokens": finding.repeated,
            "cost": _text(finding.cost_of(finding.repeated)),
            "example": finding.example or None,
        },
        "ordering": {
            "hitRatio": _ratio(order.cached, total),
            "hitRatioReordered": _ratio(order.cached_reordered, total),
            "tokens": order.gain,
            "cost": _text(finding.cost_of(order.gain)),
            "moveToFront": list(order.moved),
            "variable": order.variable or None,
        },
        "compression": {
            "tokensRemoved": finding.compression.removed,
            "cacheHitsLost": finding.compression.hits_lost,
            "netTokens": finding.compression.net,
            "cost": _text(finding.cost_of(finding.compression.net)),
        },
        "duplicates": {"same": finding.duplicates.same, "similar": finding.duplicates.similar},
    }


def _lines(finding: "Finding") -> list[str]:
    total, order = finding.total, finding.ordering
    sections = ", ".join(f"{section} {count / (total or 1):.0%}" for section, count in finding.tokens.items() if count)
    lines = [
        f"{finding.feature}: {finding.requests:,} requests, {total:,} prompt tokens{_priced(finding.cost)}",
        f"  sections    {sections}",
    ]
    if finding.repeated:
        lines.append(
            f"  repeated    {finding.repeated:,} tokens{_priced(finding.cost_of(finding.repeated))}: {_cut(finding.example)}"
        )
    if order.moved:
        lines.append(
            f"  order       {order.cached / total:.0%} of tokens can come from the prefix cache, "
            f"{order.cached_reordered / total:.0%} with shared text first: "
            f"{order.gain:,} tokens{_priced(finding.cost_of(order.gain))}"
        )
        lines += [f"    move up   {_cut(text)}" for text in order.moved[:_SHOWN]]
        lines.append(f"    behind    {_cut(order.variable)}")
    if finding.compression.removed:
        lines.append(
            f"  compression {finding.compression.removed:,} tokens removed less {finding.compression.hits_lost:,} of the "
            f"prefix cache: {finding.compression.net:,}{_priced(finding.cost_of(finding.compression.net))}, if answers stay right"
        )
    if finding.duplicates.same or finding.duplicates.similar:
        lines.append(
            f"  duplicates  {finding.duplicates.same} the same as an earlier one, {finding.duplicates.similar} nearly"
        )
    return lines


def _cut(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= _WIDE else f"{shown[: _WIDE - 3]}..."


def _priced(cost: "Money | None") -> str:
    return "" if cost is None else f", {cost.text()}"


def _text(cost: "Money | None") -> str | None:
    return None if cost is None else cost.text()


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _prices(given: list[str]) -> "Prices | None":
    from costpolicy.routing.prompts.analysis import Prices
    from costpolicy.units import Money

    found = {}
    for text in given:
        model, _, amount = text.rpartition("=")
        try:
            found[model] = Money.parse(amount)
        except ValueError as error:
            raise InputError(f"--price {text}: {error}") from error
    return Prices(found) if found else None


def _tokenizer(path: str | None) -> "Tokenizer":
    from costpolicy.routing.prompts.tokens import approximate

    if path is None:
        return approximate
    try:
        from tokenizers import Tokenizer as Loaded
    except ImportError as error:
        raise InputError(
            "--tokenizer needs the package tokenizers: pip install tokenizers, or leave the option out"
        ) from error
    try:
        loaded = Loaded.from_file(path)
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} is not a tokenizer.json: {error}") from error
    return lambda text: loaded.encode(text, add_special_tokens=False).ids
