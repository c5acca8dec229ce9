"""The result of an evaluation as one short JSON document, which a container's termination message carries.

Kubernetes keeps 4,096 bytes of such a message: the operator reads what a Job found without a right to pods' logs.
"""

from typing import Annotated, Final

from pydantic import Field, ValidationError

from costpolicy.api.model import ObservedModel
from costpolicy.api.types import JudgeType
from costpolicy.quality.pairs import PairedCounts

MOST_BYTES: Final = 4096
"""What the kubelet keeps of a termination message."""

_Count = Annotated[int, Field(ge=0)]


class ResultError(ValueError):
    """A text is not a result; the message says why."""


class Arm(ObservedModel):
    """What one of the two deployments did."""

    truncated: _Count = 0
    """Answers that ended at their longest length; they are judged as they are."""
    refused: _Count = 0
    """Prompts that it would not answer (a status of 4xx); they count as wrong."""
    prompt_tokens: _Count = 0
    """Tokens of all prompts: what the evaluation added to its traffic."""
    output_tokens: _Count = 0
    """Tokens of all answers."""


class EvaluationResult(ObservedModel):
    """How baseline and canary answered the same prompts."""

    prompts_digest: str
    """Tells one set of prompts from another."""
    judge: JudgeType
    both_right: _Count
    lost: _Count
    gained: _Count
    both_wrong: _Count
    identical: _Count
    """Pairs of answers that are the same to the character."""
    ungraded: _Count = 0
    """Answers of which the judging model said neither yes nor no; they count as wrong."""
    baseline: Arm
    canary: Arm

    @property
    def counts(self) -> PairedCounts:
        """The pairs."""
        return PairedCounts(both_right=self.both_right, lost=self.lost, gained=self.gained, both_wrong=self.both_wrong)

    def line(self) -> str:
        """Return the result as one line of JSON."""
        return self.model_dump_json(by_alias=True)


def parse_result(text: str) -> EvaluationResult:
    """Read what an evaluation left as its termination message.

    Raises:
        ResultError: the text is not a result.
    """
    try:
        return EvaluationResult.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ResultError(f"not the result of an evaluation: {where or 'the text'}: {first['msg']}") from None
