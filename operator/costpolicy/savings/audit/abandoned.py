"""Tokens generated for nobody: clients that hung up, timed out and asked again.

vLLM counts a request that its client abandons nowhere among the finished ones; of one that waited in the queue no trace is
left at all.  But its first token and its generated tokens are counted as they leave, so both are found as a difference.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from costpolicy.planning.demand import Demand
from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy, saving_of

_SHARE: Final = 0.02
"""Of generated tokens: some clients always hang up."""
_FEW: Final = 3.0
"""Requests below which a difference may be one that was counted between two reads."""
_REPEATED: Final = 0.8
"""Share of the prompts of abandoned requests found in the cache from which on they are prompts that had been asked before."""


class _Abandoned(NamedTuple):
    requests: float
    tokens: float
    aborted: float
    cached_share: float | None


def _judge(evidence: Evidence) -> Answer:
    counted, found = evidence.counted, _abandoned(evidence)
    generated = counted[Figure.GENERATED_TOKENS]
    share = found.tokens / generated if generated > 0 else 0.0
    if share < _SHARE or found.requests < _FEW:
        return Healthy()
    repeated = found.cached_share is not None and found.cached_share >= _REPEATED
    return Found(
        evidence=(
            f"{found.tokens:.0f} of {generated:.0f} generated tokens ({share:.0%}) are in no finished request: about "
            f"{found.requests:.0f} of {counted[Figure.FIRST_TOKENS]:.0f} requests were abandoned after their first token"
            f"{_aborts(found.aborted)}{_known_prompts(found.cached_share)}. Requests abandoned in the queue leave no trace"
        ),
        advice=(
            "look for clients that repeat a request which timed out"
            if repeated
            else "look for clients whose time-out is shorter than their answers take, or that hang up early"
        )
        + ": lengthen the time-out, wait longer between attempts, and repeat less often",
        confidence=Confidence.HIGH,
        saving=saving_of(evidence, lambda demand: _without(evidence, demand, found)),
        wasted_tokens=found.tokens,
        share=share,
    )


def _abandoned(evidence: Evidence) -> _Abandoned:
    counted, answers = evidence.counted, evidence.answers
    finished, tokens = sum(evidence.finished.values()), answers.tokens if answers else 0.0
    mean = tokens / finished if finished > 0 else 0.0
    # What still runs has generated about half of its answer, and belongs to nobody yet.
    open_requests = counted[Figure.RUNNING]
    aborted = evidence.finished.get("abort", 0.0)
    requests = counted[Figure.FIRST_TOKENS] - finished - open_requests + aborted
    left = counted[Figure.GENERATED_TOKENS] - tokens - open_requests * mean / 2.0 + aborted * mean
    return _Abandoned(max(requests, 0.0), max(left, 0.0), aborted, _cached_share(evidence))


def _cached_share(evidence: Evidence) -> float | None:
    """Return the share of abandoned prompts that had been computed before; ``None`` where engines do not say."""
    counted = evidence.counted
    needed = (
        Figure.ANSWERED_PROMPT_TOKENS,
        Figure.ANSWERED_COMPUTED_TOKENS,
        Figure.PROMPT_TOKENS,
        Figure.CACHED_TOKENS,
    )
    if any(figure not in counted for figure in needed):
        return None
    prompts = counted[Figure.PROMPT_TOKENS] - counted[Figure.ANSWERED_PROMPT_TOKENS]
    hits = counted[Figure.CACHED_TOKENS] - (
        counted[Figure.ANSWERED_PROMPT_TOKENS] - counted[Figure.ANSWERED_COMPUTED_TOKENS]
    )
    return min(max(hits / prompts, 0.0), 1.0) if prompts > 0 else None


def _without(evidence: Evidence, demand: Demand, found: _Abandoned) -> Demand:
    """Return the demand of those requests alone that somebody waited for."""
    served = evidence.counted[Figure.FIRST_TOKENS]
    left = max(served - found.requests, 1.0)
    output = max(evidence.counted[Figure.GENERATED_TOKENS] - found.tokens, 1.0) / left
    prompt, cached = _prompts_of_answered(evidence, demand)
    return replace(
        demand,
        requests_per_second=demand.requests_per_second * left / served,
        prompt_tokens=prompt,
        cached_tokens=cached,
        output_tokens=max(output, 1.0),
    )


def _prompts_of_answered(evidence: Evidence, demand: Demand) -> tuple[float, float]:
    """Return prompt tokens, and cached ones of them, of a request that finished; as of all where engines do not say."""
    counted, finished = evidence.counted, sum(evidence.finished.values())
    tokens, computed = (
        counted.get(figure) for figure in (Figure.ANSWERED_PROMPT_TOKENS, Figure.ANSWERED_COMPUTED_TOKENS)
    )
    if tokens is None or computed is None or finished <= 0:
        return demand.prompt_tokens, demand.cached_tokens
    prompt = max(tokens / finished, 1.0)
    return prompt, max(min((tokens - computed) / finished, prompt - 1.0), 0.0)


def _aborts(aborted: float) -> str:
    return f", {aborted:.0f} of them by the engine itself" if aborted else ""


def _known_prompts(share: float | None) -> str:
    return "" if share is None else f"; {share:.0%} of their prompts' tokens had been computed before"


ABANDONED: Final = Audit(
    name="abandoned-generation",
    title="Tokens generated for nobody",
    needs=(Figure.FIRST_TOKENS, Figure.GENERATED_TOKENS, Figure.RUNNING),
    judge=_judge,
)
