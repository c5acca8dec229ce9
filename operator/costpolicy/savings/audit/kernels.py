"""What was switched off by hand and makes every step slower."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.techniques import techniques
from costpolicy.savings.audit.evidence import Evidence
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy, priced
from costpolicy.savings.audit.overrides import Override, Shares, claimed_shares, overrides
from costpolicy.savings.replan import Saving


def _judge(evidence: Evidence) -> Answer:
    arguments, environment = evidence.startup.arguments, evidence.startup.environment
    if arguments is None:
        return Missing(reason=Reason.NOT_STATED, message="the engines' arguments are not known: give them")
    found = overrides(arguments, environment or {})
    if not found:
        return Healthy()
    shares = claimed_shares(found)
    told = f"{_named(found)} takes away what vLLM does by itself (compiled graphs, fused and fast attention kernels)"
    return Found(
        evidence=told if shares is None else f"{told}; {_claimed(found)}{_worth(evidence, shares)}",
        advice="remove it, unless a fault of the engine was the reason for it; then try again with a newer release",
        # That it is off is seen; what it costs is a claimed range.
        confidence=Confidence.HIGH if shares is None else Confidence.LOW,
        saving=_unpriced(found) if shares is None else _saving(evidence, shares.low),
    )


def _named(found: Sequence[Override]) -> str:
    return ", ".join(one.given for one in found)


def _claimed(found: Sequence[Override]) -> str:
    """Return the ranges, their source, and what they leave out."""
    names = {one.technique for one in found if one.claimed}
    ranges = [
        f"{one.title.lower()} is claimed to spare {float(one.claim.low):.0%} to {float(one.claim.high):.0%} of the {one.claim.of}"
        for name, one in techniques().items()
        if name in names and one.claim is not None
    ]
    other = [one for one in found if not one.claimed]
    left_out = f"; nothing is for {_named(other)}" if other else ""
    return f"{' and '.join(ranges)} (the catalogue of techniques; not measured on this deployment){left_out}"


def _worth(evidence: Evidence, shares: Shares) -> str:
    """Return what both ends of the range are worth, as far as that can be said."""
    low, high = (_saving(evidence, share) for share in shares)
    if isinstance(low, Missing):
        return ""
    most = (
        f"at the high end {high.message}" if isinstance(high, Missing) else f"{high.per_month.text(2)} at the high end"
    )
    return f". Planned anew, that is {low.per_month.text(2)} a month at the low end, which is counted, and {most}"


def _saving(evidence: Evidence, share: Fraction) -> Saving | Missing:
    return priced(evidence, lambda pricing, demand: pricing.saving_of_steps(demand, share))


def _unpriced(found: Sequence[Override]) -> Missing:
    return Missing(
        reason=Reason.NOT_STATED,
        message=f"how much slower {_named(found)} makes an engine is claimed or measured nowhere: compare the same traffic without it",
    )


KERNELS: Final = Audit(name="kernels-switched-off", title="Optimizations taken away", needs=(), judge=_judge)
