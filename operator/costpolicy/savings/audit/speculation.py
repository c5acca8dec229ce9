"""Speculative decoding that costs more steps' time than it spares."""

from typing import Final

from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy
from costpolicy.savings.replan import nothing_saved

_PAYS: Final = 1.25
"""Tokens a step: verifying some tokens more and proposing them takes about a quarter of a step where batches are small."""


def _judge(evidence: Evidence) -> Answer:
    counted, steps = evidence.counted, evidence.counted[Figure.DECODE_STEPS]
    if Figure.PROPOSED_TOKENS not in counted or steps <= 0:
        return Healthy()  # only engines that speculate export it
    proposed, accepted = counted[Figure.PROPOSED_TOKENS], counted.get(Figure.ACCEPTED_TOKENS, 0.0)
    per_step = 1.0 + accepted / steps
    if per_step >= _PAYS:
        return Healthy()
    return Found(
        evidence=(
            f"{accepted:.0f} of {proposed:.0f} proposed tokens were accepted in {steps:.0f} steps: {per_step:.2f} tokens a step"
            if proposed
            else f"nothing was proposed in {steps:.0f} steps, and some methods cost asynchronous scheduling all the same"
        ),
        advice="switch speculative decoding off, or propose fewer tokens by a better method",
        confidence=Confidence.MEDIUM,
        # What it costs is latency, and capacity where batches are large; a plan never counts on it for capacity.
        saving=nothing_saved(),
        wasted_tokens=proposed - accepted,
        share=(proposed - accepted) / proposed if proposed > 0 else None,
    )


SPECULATION: Final = Audit(
    name="speculation-does-not-pay",
    title="Proposed tokens that are thrown away",
    needs=(Figure.DECODE_STEPS,),
    judge=_judge,
)
