"""``costpolicy audit``: what a deployment pays for and nobody has any use of, from its engines' metrics."""

import argparse
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, Console, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from costpolicy.observe.totals import Model, Totals


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    command = commands.add_parser(
        "audit",
        help="what is paid for and nobody has any use of",
        description=__doc__
        + " Money is the cheapest plan minus the cheapest plan without the waste, so it takes a model, a promise and how long "
        "was counted.",
    )
    _add_metrics(command)
    _add_deployment(command)
    command.add_argument(
        "-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer"
    )


def _add_metrics(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--metrics", nargs="+", metavar="FILE", help="what /metrics of each engine answered; - for stdin"
    )
    source.add_argument("--prometheus", metavar="URL", help="ask a Prometheus that scrapes the engines instead")
    command.add_argument(
        "--before", nargs="+", default=(), metavar="FILE", help="the same engines' /metrics at an earlier time"
    )
    command.add_argument(
        "--window",
        metavar="DURATION",
        help="how long was counted: between --before and --metrics, or what to ask Prometheus for (default there: 24h)",
    )


def _add_deployment(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-f",
        "--file",
        action="append",
        default=[],
        metavar="FILE",
        help="CostPolicy and PriceBook documents; - for stdin",
    )
    command.add_argument("--model", metavar="REPOSITORY", help="model to plan for, where no policy is given")
    command.add_argument(
        "--ttft", default="1s", metavar="P95", help="its objective for the time to first token (default: 1s)"
    )
    command.add_argument("--accelerator", metavar="NAME", help="accelerator that serves it (catalogue name)")
    command.add_argument(
        "--accelerators",
        type=int,
        metavar="N",
        help="how many serve it, all replicas together (default: one an engine)",
    )
    command.add_argument("--engine-version", metavar="VERSION", help="release of vLLM that serves it")
    command.add_argument(
        "--engine-args",
        metavar="ARGS",
        help="arguments that the engines were started with, in one text, written as --engine-args='--max-num-seqs 8'",
    )
    command.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="a variable of the engines' environment"
    )
    command.add_argument(
        "--useful-tokens",
        type=int,
        metavar="N",
        help="tokens after which an answer is of no use (else: the policy's cap)",
    )
    command.add_argument(
        "--shared-prefix-tokens", type=int, metavar="N", help="tokens that prompts share (else: the policy's traffic)"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Audit every model that the metrics are of, and print what was found."""
    from costpolicy.cli.audit_answer import answer, print_answer
    from costpolicy.cli.audit_features import asked_features, print_features
    from costpolicy.cli.audit_inputs import deployments
    from costpolicy.clock import SystemClock
    from costpolicy.savings.audit.audits import audit

    now = SystemClock().now()
    window = _window(arguments)
    totals = _totals(arguments, window, console, now)
    known = deployments(arguments, totals, window, console, now)
    features = asked_features(arguments.prometheus, now, window) if arguments.prometheus else []
    answers = [answer(model, audit(evidence), currency) for model, evidence, currency in known]
    if arguments.output == "table":
        for one in answers:
            print_answer(one, console)
        print_features(features, console)
    else:
        console.dump({"models": answers, **({"features": features} if arguments.prometheus else {})}, arguments.output)
    return DONE


def _window(arguments: argparse.Namespace) -> "timedelta | None":
    from costpolicy.units import parse_duration

    text = arguments.window or ("24h" if arguments.prometheus else "")
    try:
        window = parse_duration(text) if text else None
    except ValueError as error:
        raise InputError(f"--window: {error}") from error
    if window is not None and not window:
        raise InputError("--window must be longer than nothing")
    return window


def _totals(
    arguments: argparse.Namespace, window: "timedelta | None", console: Console, now: "datetime"
) -> "Mapping[Model, Totals]":
    if arguments.prometheus:
        if arguments.before:
            raise InputError("--before goes with --metrics: a Prometheus is told by --window how far back to look")
        return _asked(arguments.prometheus, now, window)
    from costpolicy.observe.totals import ExpositionError, totals_of_expositions

    texts = [(file, console.read(file)) for file in arguments.metrics]
    earlier = [(file, console.read(file)) for file in arguments.before]
    for file, text in (*texts, *earlier):
        try:
            totals_of_expositions([text])
        except ExpositionError as error:
            raise InputError(f"{file} {error}") from error
    return totals_of_expositions((text for _, text in texts), (text for _, text in earlier))


def _asked(url: str, now: "datetime", window: "timedelta | None") -> "Mapping[Model, Totals]":
    from datetime import timedelta

    from costpolicy.observe.prometheus import PrometheusSource
    from costpolicy.observe.source import MetricsUnavailable
    from costpolicy.observe.totals import totals_of_prometheus

    try:
        with PrometheusSource(url, timeout=timedelta(seconds=30)) as source:
            totals = totals_of_prometheus(source, now, window or timedelta(hours=24))
    except MetricsUnavailable as error:
        raise InputError(f"{url}: {error}") from error
    except ValueError as error:
        raise InputError(f"--prometheus: {error}") from error
    if not totals:
        raise InputError(f"{url} holds no series of vLLM: does it scrape the engines?")
    return totals
