"""Prompt tokens that need not be computed: those that were not, and those that could have been spared."""

from dataclasses import replace
from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.planning.demand import Demand
from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy, Kept, per_request, saving_of
from costpolicy.savings.replan import Saving

_EXPECTED: Final = 0.7
"""Share of what prompts are said to share that has to be found: the first requests of each engine find nothing."""
_FULL: Final = 0.9
"""Share of the KV cache in use from which on prefixes are evicted before they are met again."""
_COLD: Final = 20.0
"""Requests an engine below which a cache has hardly been filled."""
_NONE: Final = 0.01


def _misses(evidence: Evidence) -> Answer:
    if evidence.counted[Figure.FIRST_TOKENS] <= 0:
        return Missing(reason=Reason.NO_TRAFFIC, message="no request was served")
    shared, hits = evidence.stated.shared_prefix_tokens, per_request(evidence, evidence.counted[Figure.CACHED_TOKENS])
    if _is_off(evidence):
        return _found(
            evidence,
            "prefix caching is switched off",
            "drop the argument: vLLM shares prefixes by default",
            shared,
            hits,
        )
    if shared is None:
        return _unstated(evidence, hits)
    if hits >= _EXPECTED * shared:
        return Healthy()
    cause, advice = _cause(evidence)
    return _found(
        evidence,
        f"{hits:.0f} of {shared:.0f} shared tokens a prompt are found in the cache: {cause}",
        advice,
        shared,
        hits,
    )


def _is_off(evidence: Evidence) -> bool:
    given = (evidence.startup.arguments or {}).get("--enable-prefix-caching")
    return evidence.startup.prefix_caching is False or given == "false"


def _unstated(evidence: Evidence, hits: float) -> Answer:
    if hits > _NONE * per_request(evidence, evidence.counted[Figure.PROMPT_TOKENS]):
        return Healthy()
    return Missing(
        reason=Reason.NOT_STATED,
        message="no prompt token is found in the cache, and no metric says whether prompts share any: state how many do",
    )


def _cause(evidence: Evidence) -> tuple[str, str]:
    counted = evidence.counted
    if counted.get(Figure.KV_CACHE_USAGE, 0.0) >= _FULL or counted.get(Figure.PREEMPTIONS, 0.0) > 0:
        return (
            "the KV cache is full, so prefixes are evicted",
            "give it more room: fp8 KV cache, more memory, fewer sequences",
        )
    if counted[Figure.FIRST_TOKENS] / evidence.engines < _COLD:
        return "the engines have hardly served yet", "look again when they have served more"
    if evidence.engines > 1:
        return (
            f"each of {evidence.engines} engines computes them by itself",
            "send requests that share a prefix to the same engine (session or prefix affinity in the router)",
        )
    return (
        "something in front of the shared part differs from prompt to prompt",
        "put what varies (time, user, question) behind what is shared, and keep the shared text the same to the letter",
    )


def _found(evidence: Evidence, said: str, advice: str, shared: float | None, hits: float) -> Found:
    missed = None if shared is None else max(shared - hits, 0.0) * evidence.counted[Figure.FIRST_TOKENS]
    saving: Saving | Missing = (
        Missing(reason=Reason.NOT_STATED, message="how many tokens prompts share is not known: state it")
        if shared is None
        else saving_of(evidence, lambda demand: _cached(demand, shared))
    )
    return Found(
        evidence=said,
        advice=advice,
        confidence=Confidence.MEDIUM,
        saving=saving,
        wasted_tokens=missed,
        share=None if missed is None else missed / max(evidence.counted[Figure.PROMPT_TOKENS], 1.0),
    )


def _cached(demand: Demand, tokens: float) -> Demand:
    return replace(demand, cached_tokens=max(min(tokens, demand.prompt_tokens - 1.0), 0.0))


def _spared(evidence: Evidence) -> Answer:
    spared, prompts = evidence.counted[Figure.CACHED_TOKENS], evidence.counted[Figure.PROMPT_TOKENS]
    if spared <= _NONE * prompts:
        return Healthy()
    demand = evidence.demand()
    saving: Saving | Missing
    if isinstance(demand, Missing):
        saving = demand
    elif isinstance(evidence.pricing, Missing):
        saving = evidence.pricing
    else:
        saving = evidence.pricing.saving(_cached(demand, 0.0), demand)
    return Kept(
        evidence=f"{spared:.0f} of {prompts:.0f} prompt tokens ({spared / prompts:.0%}) were found in the prefix cache and not computed",
        saving=saving,
        spared_tokens=spared,
    )


MISSES: Final = Audit(
    name="prefix-cache-misses",
    title="Prompt tokens computed again",
    needs=(Figure.FIRST_TOKENS, Figure.PROMPT_TOKENS, Figure.CACHED_TOKENS),
    judge=_misses,
)
SPARED: Final = Audit(
    name="tokens-not-computed",
    title="Prompt tokens not computed",
    needs=(Figure.FIRST_TOKENS, Figure.PROMPT_TOKENS, Figure.CACHED_TOKENS),
    judge=_spared,
)
