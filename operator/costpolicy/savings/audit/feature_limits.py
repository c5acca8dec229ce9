"""What clients ask as a limit beside what is generated for them, by feature: what a router sees and an engine does not.

An engine counts a limit after it has filled it in and clamped it (:mod:`costpolicy.savings.audit.answer_length`).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.savings.audit.answer_length import CUT, FAR, KEPT
from costpolicy.savings.audit.lengths import Lengths

FEWEST: Final = 200
"""Answers below which the longest hundredth is one or two of them."""
_ASKS: Final = 0.5
"""Share of requests with a limit from which on a feature counts as one that asks for limits."""


class Feature(NamedTuple):
    """A feature of a route."""

    namespace: str
    route: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a router saw of a feature.

    Attributes:
        asked: limits of requests that named one.
        generated: tokens of answers.
        cut: answers that ended at their limit.
    """

    asked: Lengths
    generated: Lengths
    cut: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A limit to set, in the client or in the router.

    Attributes:
        max_tokens: the cap.
        cuts: share of answers that it would cut.
        beyond: share of the generated tokens that lie beyond it.
        asked: mean limit of those requests that name one; ``None``: most name none.
        mean: tokens of an answer.
    """

    max_tokens: int
    cuts: float
    beyond: float
    asked: float | None
    mean: float

    @property
    def evidence(self) -> str:
        """What was seen, in a sentence."""
        asks = "most requests ask for no limit" if self.asked is None else f"requests ask for {self.asked:.0f} tokens"
        return f"{asks}, answers have {self.mean:.0f} on average and {KEPT:.0%} of them end by {self.max_tokens}"


@dataclass(frozen=True, slots=True)
class WellAsked:
    """Limits are near what is generated."""


Judged: TypeAlias = Cap | WellAsked | Missing


def judge(seen: Seen) -> Judged:
    """Return the cap for a feature, if its limits lie far beyond its answers or there are none."""
    mean = seen.generated.mean
    if mean is None or seen.generated.requests < FEWEST:
        return Missing(
            reason=Reason.NO_TRAFFIC,
            message=f"{seen.generated.requests:.0f} answers were seen, {FEWEST} are needed to say how long they get",
        )
    if seen.cut > CUT * seen.generated.requests:
        return Missing(
            reason=Reason.NOT_STATED,
            message=f"{seen.cut / seen.generated.requests:.0%} of the answers end at their limit: how long they are of use is not seen",
        )
    cap = seen.generated.bound_of(KEPT)
    asks = seen.asked.requests >= _ASKS * seen.generated.requests
    asked = seen.asked.mean if asks else None
    if cap is None or (asked is not None and asked <= FAR * cap):
        return WellAsked()
    beyond = seen.generated.beyond(cap)
    return Cap(
        max_tokens=round(cap),
        cuts=beyond.requests / seen.generated.requests,
        beyond=beyond.tokens / seen.generated.tokens if seen.generated.tokens else 0.0,
        asked=asked,
        mean=mean,
    )
