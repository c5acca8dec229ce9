"""``costpolicy route label``: labels from sampled requests, by asking the trusted tier and a cheaper one."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.judging import add_judge, grader_of

if TYPE_CHECKING:
    from costpolicy.evaluator.labelling import Labelled, Labelling
    from costpolicy.evaluator.labels_file import LabelsFile
    from costpolicy.evaluator.samples import Samples
    from costpolicy.manifests.router.inputs import TokenPrices
    from costpolicy.router_plugin.compression import Limits

ROUTER_KEY: Final = "COSTPOLICY_ROUTER_KEY"
"""Environment variable with the key that the router, or both servers, are asked with."""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "label",
        help="labels from sampled requests: ask two tiers, compare their answers",
        description="Ask the trusted tier and a cheaper one what a router wrote down, at temperature 0. What the trusted tier "
        "answers is the reference; the other one is right where it says the same. Each request is asked once, and a day "
        "takes no more than --per-day. With --compress-minimum the trusted tier is asked long requests twice, as they came and "
        "shortened.",
    )
    add_labelling(parser)
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def add_labelling(parser: argparse.ArgumentParser) -> None:
    """Add the options of every command that labels."""
    parser.add_argument("--samples", metavar="FOLDER", required=True, help="folder that the router writes samples to")
    parser.add_argument("--labels", metavar="FILE", required=True, help="CSV of labels to go on with, or to begin")
    parser.add_argument(
        "--router", metavar="URL", help=f"the router; its administrator's key is in {ROUTER_KEY}, tiers are ROUTE/TIER"
    )
    parser.add_argument("--strong-url", metavar="URL", help="without a router: server of the trusted model")
    parser.add_argument("--weak-url", metavar="URL", help="without a router: server of the cheaper model")
    parser.add_argument("--strong", metavar="MODEL", default="", help="trusted model (default: the server's first)")
    parser.add_argument("--weak", metavar="MODEL", default="", help="cheaper model (default: the server's first)")
    add_judge(parser)
    parser.add_argument("--per-day", metavar="N", type=int, default=500, help="the most labels of a day (default: 500)")
    parser.add_argument("--keep", metavar="DAYS", type=int, default=30, help="age at which labels go (default: 30)")
    parser.add_argument("--strong-prices", metavar="IN,OUT", help="what a million tokens cost there, to tell the cost")
    parser.add_argument("--weak-prices", metavar="IN,OUT", help="the same of the cheaper model")
    parser.add_argument(
        "--compress-minimum",
        metavar="N",
        type=int,
        help="judge a compression in place of a cheaper model: characters from which messages are shortened",
    )
    parser.add_argument(
        "--compress-ratio", metavar="SHARE", default="50%", help="share of their characters to keep (default: 50%%)"
    )
    parser.add_argument("--max-tokens", metavar="N", type=int, default=1024, help="longest answer, in tokens")
    parser.add_argument("--concurrency", metavar="N", type=int, default=2, help="requests at a time")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Ask, compare, keep and print."""
    from costpolicy.evaluator.endpoint import EndpointError

    try:
        found = label(arguments, console)
    except EndpointError as error:
        console.note(f"costpolicy: {error}")
        return NO
    if arguments.output == "table":
        console.print(found["message"])
    else:
        console.dump(found, arguments.output)
    return DONE


def label(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Label what waits, and return the answer.

    Raises:
        EndpointError: a request got no answer; labels that were made until then are kept.
        InputError: options, samples or labels are not usable.
    """
    from datetime import timedelta

    from costpolicy.clock import SystemClock
    from costpolicy.evaluator.labels_file import LabelsFile
    from costpolicy.evaluator.samples import read_samples, shortened_samples
    from costpolicy.routing.labels import LabelError

    prices = tuple(_prices(option, text) for option, text in _given_prices(arguments).items())
    limits, labelling = compression_of(arguments), _labelling(arguments)
    today = SystemClock().now().date()
    try:
        samples = read_samples(Path(arguments.samples))
        oldest = today - timedelta(days=arguments.keep)
        labels = LabelsFile.open(Path(arguments.labels), oldest, limits.settings if limits else "")
        asked = samples.found if limits is None else shortened_samples(samples.found, limits)
        done = labelling.run(asked, labels, today, console.note)
    except LabelError as error:
        raise InputError(str(error)) from error
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror or error}") from error
    return _answer(done, labels, samples, prices, judged=arguments.judge == "Model")


def compression_of(arguments: argparse.Namespace) -> "Limits | None":
    """Return the compression that is judged; ``None``: a cheaper model is.

    Raises:
        InputError: its settings are none, or a cheaper model is named beside it.
    """
    from costpolicy.router_plugin.compression import Limits
    from costpolicy.units import parse_ratio

    if arguments.compress_minimum is None:
        return None
    if arguments.weak or arguments.weak_url or arguments.weak_prices:
        raise InputError(
            "--compress-minimum judges the trusted model alone: leave --weak, --weak-url and --weak-prices out"
        )
    try:
        ratio = parse_ratio(arguments.compress_ratio)
    except ValueError as error:
        raise InputError(f"--compress-ratio: {error}") from error
    if arguments.compress_minimum < 1 or not 0 < ratio <= 1:
        raise InputError("--compress-minimum must be at least 1, --compress-ratio more than 0 and at most 100%")
    return Limits(minimum=arguments.compress_minimum, ratio=float(ratio))


def _answer(
    done: "Labelled",
    labels: "LabelsFile",
    samples: "Samples",
    prices: "tuple[TokenPrices | None, ...]",
    *,
    judged: bool,
) -> dict[str, Any]:
    from costpolicy.evaluator.labelling import total_cost

    cost = total_cost(done, *prices)
    spent = "at a cost that needs --strong-prices and --weak-prices" if cost is None else f"for {cost.text(4)}"
    judge = "; what the judging model took is not in it" if judged and cost is not None else ""
    waiting = f"; samples that wait for another day: {done.waiting:,}" if done.waiting else ""
    return {
        "made": done.made,
        "labels": len(labels),
        "waiting": done.waiting,
        "refused": done.refused,
        "unreadable": samples.unreadable,
        "tokens": {
            "strong": {"prompt": done.strong.prompt, "output": done.strong.output},
            "weak": {"prompt": done.weak.prompt, "output": done.weak.output},
        },
        "cost": None if cost is None else cost.text(),
        "message": f"{done.made:,} labels made {spent}; the file holds {len(labels):,}{waiting}{judge}",
    }


def _labelling(arguments: argparse.Namespace) -> "Labelling":
    from costpolicy.evaluator.endpoint import Endpoint
    from costpolicy.evaluator.labelling import Labelling

    for option in ("per_day", "keep", "max_tokens", "concurrency"):
        if getattr(arguments, option) < 1:
            raise InputError(f"--{option.replace('_', '-')} must be at least 1")
    strong, weak = _addresses(arguments)
    key, connections = os.environ.get(ROUTER_KEY, ""), arguments.concurrency
    try:
        return Labelling(
            strong=Endpoint(strong, arguments.strong, connections=connections, api_key=key),
            weak=Endpoint(weak, _weak_model(arguments), connections=connections, api_key=key),
            grader=grader_of(arguments),
            # Or a router would let another tier answer, and the label would be of that one.
            orders={"disable_fallbacks": True} if arguments.router else {},
            max_tokens=arguments.max_tokens,
            concurrency=connections,
            per_day=arguments.per_day,
        )
    except ValueError as error:
        raise InputError(str(error)) from error


def _weak_model(arguments: argparse.Namespace) -> str:
    weak: str = arguments.strong if arguments.compress_minimum is not None else arguments.weak
    return weak


def _addresses(arguments: argparse.Namespace) -> tuple[str, str]:
    if arguments.router and not (arguments.strong_url or arguments.weak_url):
        if not (arguments.strong and _weak_model(arguments)):
            raise InputError("--router needs --strong ROUTE/TIER and --weak ROUTE/TIER")
        return arguments.router, arguments.router
    if arguments.strong_url and not arguments.router and arguments.compress_minimum is not None:
        return arguments.strong_url, arguments.strong_url
    if arguments.router or not (arguments.strong_url and arguments.weak_url):
        raise InputError("give --router, or --strong-url and --weak-url")
    return arguments.strong_url, arguments.weak_url


def _given_prices(arguments: argparse.Namespace) -> dict[str, str | None]:
    weak = arguments.strong_prices if arguments.compress_minimum is not None else arguments.weak_prices
    return {"--strong-prices": arguments.strong_prices, "--weak-prices": weak}


def _prices(option: str, text: str | None) -> "TokenPrices | None":
    from costpolicy.manifests.router.inputs import TokenPrices
    from costpolicy.units import Money

    if text is None:
        return None
    try:
        given, answered = (Money.parse(amount) for amount in text.split(","))
    except ValueError as error:
        raise InputError(f"{option} {text}: write two amounts such as 0.25,1.00 ({error})") from error
    return TokenPrices(input=given, output=answered)
