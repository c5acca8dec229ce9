"""Whether an evaluation can prove what is asked of it, told from the baseline's answers given twice.

Temperature 0 does not give the same answer twice: the order of sums on an accelerator depends on what else is in the
batch.  So the baseline differs from itself, and an evaluation has to see past that before it can judge anything else.
"""

from dataclasses import dataclass
from fractions import Fraction

from costpolicy.quality.pairs import PairedCounts
from costpolicy.quality.sample_size import prompts_needed, smallest_excludable_loss
from costpolicy.quality.verdict import margin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Adequate:
    """The baseline itself would be found no worse in at least 90 % of repeats.

    Attributes:
        smallest_loss: smallest loss that can be excluded, as a share of the baseline's score, as ``maxLoss`` is.
        margin: largest loss to accept, in points: what :func:`costpolicy.quality.verdict.judge` is given.
    """

    smallest_loss: float
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TooSmall:
    """It would not: no accelerator is worth spending on it.

    Attributes:
        smallest_loss, margin: as in :class:`Adequate`; the loss is more than ``maxLoss``.
        discordance: share of prompts on which the baseline is expected to differ from itself.
    """

    smallest_loss: float
    margin: float
    discordance: float

    @property
    def prompts_needed(self) -> int | None:
        """How many prompts like these would do; None where more than can be asked."""
        return prompts_needed(discordance=self.discordance, margin=self.margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToLose:
    """No number of prompts would do: the baseline answers none of them rightly, or ``maxLoss`` is 0."""

    message: str


Adequacy = Adequate | TooSmall | NothingToLose


def judge_evaluation(twice: PairedCounts, max_loss: Fraction) -> Adequacy:
    """Say whether these prompts can exclude a loss of ``max_loss``.

    Args:
        twice: the baseline against itself.
        max_loss: ``spec.quality.maxLoss``, a share of the baseline's score.
    """
    score = (twice.baseline_score + twice.canary_score) / 2
    if not score:
        return NothingToLose(
            message="the baseline answers no prompt rightly; check the answers, the judge and maxTokens"
        )
    if not max_loss:
        return NothingToLose(message="maxLoss is 0, and no number of prompts shows that nothing at all is lost")
    margin = margin_of(max_loss, score)
    discordance = twice.expected_discordance
    smallest = smallest_excludable_loss(pairs=twice.pairs, discordance=discordance)
    share = smallest / float(score)
    if smallest <= margin:
        return Adequate(smallest_loss=share, margin=margin)
    return TooSmall(smallest_loss=share, margin=margin, discordance=discordance)
