"""Who says whether an answer is right: a comparison of text, or another model."""

from collections.abc import Callable

from costpolicy.evaluator.endpoint import Answered, Endpoint, EndpointError
from costpolicy.quality.grading import GRADING_TOKENS, grading_messages, read_grade
from costpolicy.quality.prompts import Prompt
from costpolicy.quality.scoring import TextJudge, is_right

Grader = Callable[[Prompt, str], bool | None]
"""Says whether an answer is right; None where it cannot be told."""


def text_grader(judge: TextJudge) -> Grader:
    """Return a grader that compares text."""

    def grade(prompt: Prompt, answer: str) -> bool:
        return is_right(judge, prompt.expected, answer, prompt.tolerance)

    return grade


def model_grader(model: Endpoint) -> Grader:
    """Return a grader that asks a model, one answer at a time.

    It raises :class:`EndpointError` where the model does not answer.
    """

    def grade(prompt: Prompt, answer: str) -> bool | None:
        messages = grading_messages(prompt.question, prompt.expected, answer)
        reply = model.ask({"messages": messages}, GRADING_TOKENS)
        if not isinstance(reply, Answered):
            raise EndpointError(f"the judge at {model.url} refused line {prompt.line}: {reply.message}")
        return read_grade(reply.text)

    return grade
