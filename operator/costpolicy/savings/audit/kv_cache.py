"""A KV cache that is too small for what runs: requests are thrown out and computed again."""

from typing import Final

from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy
from costpolicy.savings.replan import nothing_saved

_OFTEN: Final = 0.01
"""Preemptions a request."""
_FULL: Final = 0.95


def _judge(evidence: Evidence) -> Answer:
    counted = evidence.counted
    served, preempted = counted[Figure.FIRST_TOKENS], counted[Figure.PREEMPTIONS]
    waits = counted.get(Figure.KV_CACHE_USAGE, 0.0) >= _FULL and counted.get(Figure.WAITING, 0.0) > 0
    if preempted < _OFTEN * max(served, 1.0) and not waits:
        return Healthy()
    prompt, output = (
        counted.get(figure, 0.0) / max(served, 1.0) for figure in (Figure.PROMPT_TOKENS, Figure.GENERATED_TOKENS)
    )
    # On average it was halfway through its answer; its prompt may partly be found in the cache again.
    again = preempted * (prompt + output / 2.0)
    done = counted.get(Figure.PROMPT_TOKENS, 0.0) + counted.get(Figure.GENERATED_TOKENS, 0.0)
    return Found(
        evidence=(
            f"{preempted:.0f} preemptions in {served:.0f} requests: up to {again:.0f} tokens were computed twice"
            if preempted
            else "the KV cache is full and requests wait for room in it"
        )
        + " (engines count a preemption only with the request's next output)",
        advice="more room for the KV cache (fp8, more memory, more accelerators a replica) or fewer sequences at once",
        confidence=Confidence.MEDIUM,
        # Plans keep their sequences within the cache, so none of them pays for this waste: latency is what it costs.
        saving=nothing_saved(),
        wasted_tokens=again,
        share=again / done if done > 0 else None,
    )


PRESSURE: Final = Audit(
    name="kv-cache-pressure",
    title="Requests thrown out of a full KV cache",
    needs=(Figure.FIRST_TOKENS, Figure.PREEMPTIONS),
    judge=_judge,
)
