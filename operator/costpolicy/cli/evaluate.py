"""``costpolicy evaluate``: ask two deployments the same prompts and judge whether the second is no worse."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from costpolicy.cli.console import DONE, NO, Console, InputError
from costpolicy.cli.judging import add_judge, grader_of

if TYPE_CHECKING:
    from fractions import Fraction

    from costpolicy.evaluator.evaluation import Evaluation
    from costpolicy.evaluator.record import Record


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the tree."""
    parser = subparsers.add_parser(
        "evaluate",
        help="ask two deployments the same prompts: is the second no worse",
        description="Ask two deployments the same prompts at temperature 0 and test whether the second answers no "
        "worse. Name one deployment twice to see whether the prompts are enough to tell.",
    )
    parser.add_argument("--baseline", metavar="URL", required=True, help="what serves now, http(s)://host[:port]")
    parser.add_argument("--canary", metavar="URL", required=True, help="what is to replace it")
    parser.add_argument("--prompts", metavar="FILE", required=True, help="JSON lines with prompts and answers")
    add_judge(parser)
    parser.add_argument(
        "--max-loss", metavar="SHARE", help="largest loss to accept, as a share of the baseline's score"
    )
    parser.add_argument("--model", metavar="NAME", default="", help="model to ask (default: each server's first)")
    parser.add_argument("--max-tokens", metavar="N", type=int, default=512, help="longest answer, in tokens")
    parser.add_argument("--concurrency", metavar="N", type=int, default=4, help="prompts at a time")
    parser.add_argument("--record", metavar="FILE", help="keep answers here, and go on from them when started again")
    parser.add_argument("--result", metavar="FILE", help="also write the counts here, as one line of JSON")
    parser.add_argument("--pause-file", metavar="FILE", help="ask nothing while this file exists")
    parser.add_argument("-o", "--output", choices=("table", "json", "yaml"), default="table", help="form of the answer")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Ask, count, judge and print."""
    from costpolicy.cli.evaluation_answer import Answer
    from costpolicy.evaluator.endpoint import EndpointError

    evaluation = _evaluation(arguments, console)
    max_loss = _max_loss(arguments.max_loss)
    try:
        result = evaluation.run(_record(arguments.record, evaluation), console.note)
        if arguments.result:
            Path(arguments.result).write_text(result.line(), encoding="utf-8")
    except EndpointError as error:
        if arguments.output == "table":
            console.note(f"costpolicy: {error}")
        else:
            console.dump({"verdict": None, "message": str(error)}, arguments.output)
        return NO
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror or error}") from error
    answer = Answer.of(result, max_loss, same=evaluation.baseline.url == evaluation.canary.url)
    if arguments.output == "table":
        for line in answer.lines():
            console.print(line)
    else:
        console.dump(answer.document(), arguments.output)
    return DONE if answer.accepted else NO


def _evaluation(arguments: argparse.Namespace, console: Console) -> "Evaluation":
    from costpolicy.api.types import JudgeType
    from costpolicy.evaluator.endpoint import Endpoint
    from costpolicy.evaluator.evaluation import Evaluation
    from costpolicy.evaluator.pause import pausing
    from costpolicy.quality.prompts import PromptError, parse_prompts

    for option in ("max_tokens", "concurrency"):
        if getattr(arguments, option) < 1:
            raise InputError(f"--{option.replace('_', '-')} must be at least 1")
    judge = JudgeType(arguments.judge)
    try:
        prompts = parse_prompts(console.read(arguments.prompts), judge)
    except PromptError as error:
        raise InputError(f"{arguments.prompts}: {error}") from error
    try:
        return Evaluation(
            prompts=prompts,
            judge=judge,
            grader=grader_of(arguments),
            baseline=Endpoint(arguments.baseline, arguments.model, connections=arguments.concurrency),
            canary=Endpoint(arguments.canary, arguments.model, connections=arguments.concurrency),
            max_tokens=arguments.max_tokens,
            concurrency=arguments.concurrency,
            hold=pausing(Path(arguments.pause_file) if arguments.pause_file else None),
        )
    except ValueError as error:
        raise InputError(str(error)) from error


def _record(path: str | None, evaluation: "Evaluation") -> "Record":
    from costpolicy.evaluator.record import Record, RecordError

    if path is None:
        return Record()
    try:
        return Record.open(Path(path), evaluation.subject)
    except RecordError as error:
        raise InputError(str(error)) from error


def _max_loss(text: str | None) -> "Fraction | None":
    from costpolicy.units import parse_ratio

    try:
        return None if text is None else parse_ratio(text)
    except ValueError as error:
        raise InputError(f"--max-loss: {error}") from error
