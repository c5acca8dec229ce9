"""Options that say how an answer is judged, shared by the commands that ask deployments."""

import argparse
import os
from typing import TYPE_CHECKING, Final

from costpolicy.cli.console import InputError

if TYPE_CHECKING:
    from costpolicy.evaluator.graders import Grader

JUDGES: Final = ("Exact", "Contains", "Numeric", "Model")
JUDGE_KEY: Final = "COSTPOLICY_JUDGE_API_KEY"
"""Environment variable with the judging model's API key; on a command line everybody could read it."""


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--judge", choices=JUDGES, default="Exact", help="how an answer is compared")
    parser.add_argument("--judge-url", metavar="URL", help=f"server of the judge Model; its API key is in {JUDGE_KEY}")
    parser.add_argument("--judge-model", metavar="NAME", default="", help="model there (default: the first)")


def grader_of(arguments: argparse.Namespace) -> "Grader":
    """Return what the options say; a judging model is asked ``--concurrency`` answers at a time.

    Raises:
        InputError: the judge Model has no server.
        ValueError: its address is none.
    """
    from costpolicy.api.types import JudgeType
    from costpolicy.evaluator.endpoint import Endpoint
    from costpolicy.evaluator.graders import model_grader, text_grader

    judge = JudgeType(arguments.judge)
    if judge is not JudgeType.MODEL:
        return text_grader(judge)
    if not arguments.judge_url:
        raise InputError("the judge Model needs --judge-url")
    key = os.environ.get(JUDGE_KEY, "")
    return model_grader(
        Endpoint(arguments.judge_url, arguments.judge_model, connections=arguments.concurrency, api_key=key)
    )
