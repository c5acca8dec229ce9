"""What was found, in words: the same for ``costpolicy evaluate`` and for a policy's status."""

from typing import assert_never

from costpolicy.quality.adequacy import Adequacy, Adequate, NothingToLose, TooSmall
from costpolicy.quality.verdict import Inconclusive, Inferior, NonInferior, Verdict


def in_words(finding: Verdict | Adequacy) -> str:
    """Return a finding as a sentence without its name."""
    match finding:
        case NonInferior(margin=margin):
            return f"a loss of {margin:.2%} of the prompts is ruled out"
        case Inferior(margin=margin):
            return f"it loses more than {margin:.2%} of the prompts"
        case Inconclusive(margin=margin) as undecided:
            return (
                f"a loss of {margin:.2%} of the prompts is neither shown nor ruled out"
                f"{_would_do(undecided.prompts_needed)}"
            )
        case Adequate(smallest_loss=loss):
            return f"these prompts can exclude a loss of {loss:.2%} of the score"
        case TooSmall(smallest_loss=loss) as small:
            return (
                f"the smallest loss that these prompts can exclude is {loss:.2%} of the score"
                f"{_would_do(small.prompts_needed)}"
            )
        case NothingToLose(message=message):
            return message
        case _:
            assert_never(finding)


def _would_do(prompts: int | None) -> str:
    return f"; about {prompts} prompts would do" if prompts else "; no number of prompts that can be asked would do"
