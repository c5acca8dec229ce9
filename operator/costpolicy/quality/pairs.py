"""Paired answers: the same prompt, asked of the baseline and of the canary."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """How many prompts were answered rightly by both, by one of the two, and by neither.

    Attributes:
        lost: only the baseline was right. gained: only the canary was.
    """

    both_right: int
    lost: int
    gained: int
    both_wrong: int

    @classmethod
    def of(cls, pairs: "list[tuple[bool, bool]]") -> Self:
        """Count pairs of (the baseline was right, the canary was right)."""
        return cls(
            both_right=pairs.count((True, True)),
            lost=pairs.count((True, False)),
            gained=pairs.count((False, True)),
            both_wrong=pairs.count((False, False)),
        )

    @property
    def pairs(self) -> int:
        """Number of prompts."""
        return self.both_right + self.lost + self.gained + self.both_wrong

    @property
    def baseline_score(self) -> Fraction:
        """Share of prompts that the baseline answered rightly; 0 without prompts."""
        return Fraction(self.both_right + self.lost, self.pairs or 1)

    @property
    def canary_score(self) -> Fraction:
        """The same of the canary."""
        return Fraction(self.both_right + self.gained, self.pairs or 1)

    @property
    def loss(self) -> Fraction:
        """Share of all prompts by which the canary is worse; negative where it is better."""
        return self.baseline_score - self.canary_score

    @property
    def expected_discordance(self) -> float:
        """Share of prompts to expect to be judged differently, one more than was seen.

        The one more is Laplace's rule: that none of 200 differed does not say that none ever will, and a proof
        that is planned for none fails at the first.
        """
        return (self.lost + self.gained + 1) / (self.pairs + 1)
