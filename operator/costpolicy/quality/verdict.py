"""What paired answers say about a canary: no worse, worse, or not enough to tell."""

from dataclasses import dataclass
from fractions import Fraction

from costpolicy.quality.pairs import PairedCounts
from costpolicy.quality.sample_size import prompts_needed
from costpolicy.quality.tango import LossInterval, loss_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferior:
    """A loss as large as the margin is ruled out: the canary may be promoted."""

    interval: LossInterval
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferior:
    """A loss within the margin is ruled out: the canary is withdrawn."""

    interval: LossInterval
    margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inconclusive:
    """Neither is ruled out: nothing is promoted.

    Attributes:
        discordance: share of prompts on which the two are expected to differ, by these answers.
    """

    interval: LossInterval
    margin: float
    discordance: float

    @property
    def prompts_needed(self) -> int | None:
        """How many prompts would prove it if nothing is lost in truth; None where more than can be asked."""
        return prompts_needed(discordance=self.discordance, margin=self.margin)


Verdict = NonInferior | Inferior | Inconclusive


def margin_of(max_loss: Fraction, baseline_score: Fraction) -> float:
    """Return the loss in points that ``maxLoss``, a share of the baseline's score, allows.

    It comes from what was measured before the canary was asked: a margin that moves with the answers which it judges
    is none.
    """
    return float(max_loss * baseline_score)


def judge(counts: PairedCounts, margin: float) -> Verdict:
    """Judge a canary.

    Args:
        counts: baseline and canary on the same prompts.
        margin: largest loss to accept, in points: :func:`margin_of`.

    Raises:
        ValueError: there are no pairs.
    """
    interval = loss_interval(lost=counts.lost, gained=counts.gained, pairs=counts.pairs)
    if margin > 0 and interval.high <= margin:
        return NonInferior(interval=interval, margin=margin)
    if interval.low > margin:
        return Inferior(interval=interval, margin=margin)
    return Inconclusive(interval=interval, margin=margin, discordance=counts.expected_discordance)
