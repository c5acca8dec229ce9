"""Whether shortened requests are answered no worse: pairs of answers of the trusted tier, and what they prove.

A pair is one long request of the traffic, asked as it came and shortened.  The first answer is the reference, so nothing can
be gained, and what is lost is bounded as a threshold's loss is (:mod:`costpolicy.routing.proof`).  A proof is of one
compression: another minimum, ratio or version of the algorithm has a proof of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, assert_never

from costpolicy.binomial import lower_bound, upper_bound
from costpolicy.routing.guard import Distrust, TrustedOnly, drifted, staleness
from costpolicy.routing.labels import Label, gathered
from costpolicy.routing.newest import newest
from costpolicy.routing.proof import LOSSES_ERROR

VERSION: Final = 1
"""Of the JSON document."""
_MOST_PAIRS: Final = 1 << 24


class EvidenceError(ValueError):
    """A document is not what is written here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Pairs that were judged, and those whose shortened request was answered worse."""

    judged: int = 0
    lost: int = 0

    @classmethod
    def of(cls, labels: Sequence[Label]) -> "Pairs":
        """Count; a request that the trusted tier does not answer is no pair."""
        answered = [label for label in labels if label.strong]
        return cls(judged=len(answered), lost=sum(not label.weak for label in answered))

    @property
    def at_most(self) -> float:
        """The share lost that is exceeded in at most as many repeats as a threshold's."""
        return upper_bound(self.lost, self.judged, LOSSES_ERROR) if self.judged else 1.0

    @property
    def at_least(self) -> float:
        """The share that is lost almost surely."""
        return lower_bound(self.lost, self.judged, LOSSES_ERROR) if self.judged else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressionEvidence:
    """What was found out about one compression.

    Attributes:
        settings: of the compression (:attr:`costpolicy.router_plugin.compression.Limits.settings`).
        date: by which half of the pairs were judged.
        pairs: all of them. newest: those that were judged last, as few as show a loss that is new.
    """

    settings: str
    date: date
    pairs: Pairs
    newest: Pairs

    @classmethod
    def of(cls, labels: Sequence[Label], settings: str) -> "CompressionEvidence | None":
        """Return what labels show, in the order in which they were made; ``None``: there is none with a date."""
        day = gathered(labels)
        if day is None:
            return None
        return cls(settings=settings, date=day, pairs=Pairs.of(labels), newest=Pairs.of(newest(labels)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """Shortened requests are answered as well, but for ``loss`` at most."""

    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NotProven:
    """Too little is known to shorten anything.

    Attributes:
        needed: pairs that would prove it if no further one is lost; ``None``: no number that could be judged.
    """

    needed: int | None


Judgement = Harmless | NotProven | TrustedOnly


def judge_compression(
    evidence: CompressionEvidence, max_loss: Fraction, scores: Sequence[int], today: date, oldest: timedelta
) -> Judgement:
    """Say whether requests may be shortened today.

    Args:
        evidence: of the compression that is wanted.
        max_loss: largest loss to accept, as a share of the trusted tier's score; more than 0.
        scores: requests by tenth of their complexity, as far as they are known.
        today: the date of the decision.
        oldest: age from which evidence counts no more.
    """
    for pairs in (evidence.pairs, evidence.newest):
        if pairs.at_least > max_loss:
            return TrustedOnly(reason=Distrust.QUALITY_LOST, message=_worse(pairs, max_loss))
    if evidence.pairs.at_most > max_loss:
        return NotProven(needed=fewest_pairs(evidence.pairs.lost, max_loss))
    return staleness(evidence.date, today, oldest) or drifted(scores) or Harmless(loss=evidence.pairs.at_most)


def message(evidence: CompressionEvidence, judgement: Judgement, max_loss: Fraction) -> str:
    """Return the finding as a sentence, for conditions and for people."""
    pairs = evidence.pairs
    told = f"{pairs.lost:,} of {pairs.judged:,} shortened requests were answered worse"
    match judgement:
        case Harmless(loss=loss):
            return f"{told}: compression loses at most {loss:.2%} of the trusted tier's score, {float(max_loss):.2%} is allowed"
        case NotProven(needed=None):
            return (
                f"{told}: no number of pairs that can be judged shows that no more than {float(max_loss):.2%} is lost"
            )
        case NotProven(needed=needed):
            return (
                f"{told}: {needed:,} pairs are needed to show that no more than {float(max_loss):.2%} is lost, even if no "
                "further one is"
            )
        case TrustedOnly(message=why):
            return why
        case other:
            assert_never(other)


@lru_cache(maxsize=1024)
def fewest_pairs(lost: int, max_loss: Fraction) -> int | None:
    """Return how many pairs would prove a loss of at most ``max_loss``, of which so many are lost; ``None``: too many."""
    enough = 1
    while Pairs(judged=enough, lost=min(lost, enough)).at_most > max_loss:
        enough *= 2
        if enough > _MOST_PAIRS:
            return None
    few = enough // 2
    while few + 1 < enough:
        middle = (few + enough) // 2
        if Pairs(judged=middle, lost=min(lost, middle)).at_most > max_loss:
            few = middle
        else:
            enough = middle
    return enough


def document(evidence: CompressionEvidence) -> dict[str, Any]:
    """Return evidence as JSON values."""
    return {
        "version": VERSION,
        "settings": evidence.settings,
        "date": evidence.date.isoformat(),
        "pairs": {"judged": evidence.pairs.judged, "lost": evidence.pairs.lost},
        "newest": {"judged": evidence.newest.judged, "lost": evidence.newest.lost},
    }


def parse(told: Any) -> CompressionEvidence:  # noqa: ANN401 - any JSON
    """Read what :func:`document` wrote.

    Raises:
        EvidenceError: it is something else, or of another version.
    """
    if not isinstance(told, Mapping) or told.get("version") != VERSION:
        raise EvidenceError(f"this operator reads version {VERSION}, which it does not say")
    try:
        return CompressionEvidence(
            settings=str(told["settings"]),
            date=date.fromisoformat(told["date"]),
            pairs=_pairs(told["pairs"]),
            newest=_pairs(told["newest"]),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise EvidenceError(f"{type(error).__name__}: {error}") from error


def _pairs(told: Any) -> Pairs:  # noqa: ANN401 - any JSON
    found = Pairs(judged=int(told["judged"]), lost=int(told["lost"]))
    if not 0 <= found.lost <= found.judged:
        raise EvidenceError(f"{found.lost} of {found.judged} pairs cannot be lost")
    return found


def _worse(pairs: Pairs, max_loss: Fraction) -> str:
    return (
        f"{pairs.lost:,} of {pairs.judged:,} shortened requests were answered worse: at least {pairs.at_least:.2%} are, "
        f"{float(max_loss):.2%} is allowed"
    )
