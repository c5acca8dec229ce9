"""One function a technique: its row from the facts and from the plans with and without it."""

from collections.abc import Callable, Mapping
from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.techniques import KvCacheQuantization, Quantization
from costpolicy.api.types import KvCacheDtype, TechniqueMode
from costpolicy.catalog.engines import newest_engine
from costpolicy.savings.audit.overrides import ATTENTION, FUSION, claimed_shares
from costpolicy.savings.playbook.facts import Facts, Row, State
from costpolicy.savings.playbook.replans import SHORTER_ANSWERS, SHORTER_PROMPTS, Case, Replans
from costpolicy.units import ZERO, Money

ABANDONED: Final = 0.05
"""Share of generated tokens from which on clients that hang up are a storm: some of an hour's answers still run at its end."""
CUT: Final = 0.05
"""Share of answers cut at their limit from which on limits decide how long answers are."""
FAR: Final = 2.0
"""Limits beyond this multiple of the longest answers are over-asked."""

RowOf = Callable[[Facts, Replans], Row]


def _prefix_caching(facts: Facts, replans: Replans) -> Row:
    if facts.spec.techniques.prefix_caching.mode == TechniqueMode.DISABLED:
        return Row(
            State.BLOCKED,
            None,
            "spec.techniques.prefixCaching is Disabled; while it is, no metric says what prompts share",
        )
    saves = replans.saving(Case.NOTHING_CACHED, Case.AS_IT_IS)
    ratio, demand = facts.traffic.hit_ratio, replans.request.demand
    if isinstance(ratio, Missing) and not demand.cached_tokens:
        return Row(State.UNKNOWN, None, f"kept on; hits are not known: {ratio.message}")
    share = demand.cached_tokens / demand.prompt_tokens
    if isinstance(saves, Missing):
        return Row(State.APPLIED, None, f"{share:.0%} of prompt tokens are cached; without it: {saves.message}")
    return Row(State.APPLIED, saves, f"{share:.0%} of prompt tokens are found in the cache and not computed")


def _quantization(facts: Facts, replans: Replans) -> Row:
    running = facts.running
    saves = replans.saving(Case.SOURCE_WEIGHTS, Case.QUANTIZED_WEIGHTS)
    # Fewer bits than the source's own, whether made while loading or read from a checkpoint.
    if running is not None and (running.online_quantization or running.checkpoint is not None):
        return Row(State.APPLIED, _or_none(saves), f"weights are served in {running.weights}")
    return _permitted(facts, facts.spec.techniques.quantization, "quantization", saves, _weights_of(replans))


def _weights_of(replans: Replans) -> str:
    found = replans.answers[Case.QUANTIZED_WEIGHTS]
    return "" if isinstance(found, Missing) else f"{found.configuration.weights} weights"


def _kv_cache(facts: Facts, replans: Replans) -> Row:
    saves = replans.saving(Case.PLAIN_CACHE, Case.QUANTIZED_CACHE)
    running = facts.running
    if running is not None and running.kv_cache_dtype != KvCacheDtype.AUTO:
        return Row(State.APPLIED, _or_none(saves), f"the KV cache is kept in {running.kv_cache_dtype}")
    return _permitted(
        facts, facts.spec.techniques.kv_cache_quantization, "kvCacheQuantization", saves, "an fp8 KV cache"
    )


def _permitted(
    facts: Facts, technique: Quantization | KvCacheQuantization, name: str, saves: Money | Missing, what: str
) -> Row:
    """Return the row of something that may alter answers."""
    if isinstance(saves, Missing):
        return Row(State.UNKNOWN, None, f"no plan to compare with: {saves.message}")
    if not saves.micros:
        return Row(State.NOT_APPLICABLE, ZERO, "releases no accelerator at this demand and this objective")
    if technique.mode == TechniqueMode.DISABLED:
        return Row(State.BLOCKED, saves, f"spec.techniques.{name} is Disabled; {what} would save")
    if facts.refused:
        return Row(State.BLOCKED, saves, f"the quality gate did not let it pass; {what} would save")
    if technique.mode == TechniqueMode.ENABLED or facts.gate:
        return Row(State.RECOMMENDED, saves, f"{what} would be cheaper; it is planned as the mode allows")
    return Row(
        State.RECOMMENDED, saves, f"{what} would be cheaper; give prompts for the quality gate, or set it Enabled"
    )


def _batching(facts: Facts, replans: Replans) -> Row:
    saves = replans.saving(Case.ENGINE_LIMITS, Case.AS_IT_IS)
    if facts.spec.techniques.batching.mode == TechniqueMode.DISABLED:
        return Row(State.BLOCKED, None, "spec.techniques.batching is Disabled: the engine's own limits hold")
    tuned = facts.planned is not None and facts.planned.tuned
    told = "limits are set where they bind" if tuned else "the engine's own limits suffice for this demand"
    return Row(State.APPLIED, _or_none(saves), told)


def _max_tokens(facts: Facts, _replans: Replans) -> Row:
    limit, longest = facts.traffic.limit, facts.traffic.long_answer
    if isinstance(limit, Missing) or isinstance(longest, Missing):
        return Row(State.UNKNOWN, None, f"limits and answers are not known: {_message(limit, longest)}")
    if limit <= FAR * longest:
        return Row(State.APPLIED, ZERO, f"limits of {_about(limit)} tokens fit answers of up to {_about(longest)}")
    return Row(
        State.RECOMMENDED,
        ZERO,
        f"limits are {_about(limit)} tokens, 99% of answers end by {_about(longest)}: costs nothing, a cap bounds what could",
    )


def _retries(facts: Facts, replans: Replans) -> Row:
    share = facts.traffic.abandoned
    if isinstance(share, Missing):
        return Row(State.UNKNOWN, None, f"what is generated for nobody is not known: {share.message}")
    if share < ABANDONED:
        return Row(
            State.NOT_APPLICABLE, ZERO, f"less than {ABANDONED:.0%} of generated tokens are in no finished request"
        )
    saves = replans.saving(Case.AS_IT_IS, Case.NOTHING_ABANDONED)
    told = f"{replans.abandoned:.0%} of generated tokens are for clients that hung up: mend their time-outs and repeats"
    return Row(State.RECOMMENDED, _or_none(saves), told)


def _output_length(facts: Facts, replans: Replans) -> Row:
    capping = next((one.route for one in facts.routes if one.caps), None)
    if capping is not None:
        return Row(State.APPLIED, None, f"route {capping} caps answers; costpolicy audit says what clients ask")
    cut, longest, useful = (
        facts.traffic.cut_share,
        facts.traffic.long_answer,
        facts.spec.techniques.output_length.max_tokens,
    )
    if isinstance(cut, Missing) or isinstance(longest, Missing):
        return Row(State.UNKNOWN, None, f"how answers end is not known: {_message(cut, longest)}")
    if useful is not None and longest <= useful:
        return Row(State.NOT_APPLICABLE, ZERO, f"99% of answers end by {_about(longest)} tokens; {useful} are of use")
    if useful is None and cut < CUT:
        return Row(State.NOT_APPLICABLE, ZERO, f"answers end by themselves; less than {CUT:.0%} are cut at their limit")
    bound = replans.saving(Case.AS_IT_IS, Case.SHORTER_ANSWERS)
    return _bounded(
        bound, f"{float(SHORTER_ANSWERS):.0%} shorter answers", "costpolicy audit --useful-tokens says what of it"
    )


def _compression(facts: Facts, replans: Replans) -> Row:
    shortening = next((one.route for one in facts.routes if one.compresses), None)
    if shortening is None:
        return _prompts(facts, replans)
    return Row(
        State.APPLIED, None, f"route {shortening} shortens long contexts; costpolicy prompts analyze says the net"
    )


def _prompts(_facts: Facts, replans: Replans) -> Row:
    bound = replans.saving(Case.AS_IT_IS, Case.SHORTER_PROMPTS)
    return _bounded(bound, f"{float(SHORTER_PROMPTS):.0%} shorter prompts", "only sample prompts say what of it")


def _bounded(bound: Money | Missing, what: str, who: str) -> Row:
    """Return the row of something that only texts can tell: not applicable where even the most of it saves nothing."""
    if isinstance(bound, Missing):
        return Row(State.UNKNOWN, None, f"no plan to compare with: {bound.message}")
    if not bound.micros:
        return Row(State.NOT_APPLICABLE, ZERO, f"even {what} would release no accelerator")
    return Row(State.UNKNOWN, None, f"{what} would save {bound.text(0)} a month; {who}")


def _routing(facts: Facts, _replans: Replans) -> Row:
    sending = next((one for one in facts.routes if one.share), None)
    if sending is not None:
        cheaper = f", {sending.saved} cheaper than all to the dearest" if sending.saved else ""
        return Row(State.APPLIED, None, f"route {sending.route} sends {sending.share} to cheaper tiers{cheaper}")
    if facts.routes:
        waiting = facts.routes[0].route
        return Row(State.UNKNOWN, None, f"route {waiting} sends nothing to cheaper tiers: see its condition Routing")
    return Row(
        State.UNKNOWN, None, "needs a cheaper tier and labelled requests of this traffic: costpolicy route calibrate"
    )


def _speculation(facts: Facts, _replans: Replans) -> Row:
    if facts.running is not None and facts.running.proposer is not None:
        return Row(
            State.APPLIED, None, f"{facts.running.proposer.label}: buys latency, no capacity; see status.speculation"
        )
    if facts.planned is None:
        return Row(State.UNKNOWN, None, "there is no plan to judge it by")
    if facts.planned.proposer is not None:
        return Row(State.RECOMMENDED, None, "the inter-token objective would be missed without it")
    return Row(State.NOT_APPLICABLE, ZERO, "buys latency, and the objectives are kept without it")


def _kernels(facts: Facts, replans: Replans) -> Row:
    return _checked(facts, replans, FUSION, replans.saving(Case.UNFUSED, Case.FUSED))


def _attention(facts: Facts, replans: Replans) -> Row:
    return _checked(facts, replans, ATTENTION, replans.saving(Case.OTHER_ATTENTION, Case.FLASH_ATTENTION))


def _checked(facts: Facts, replans: Replans, technique: str, saves: Money | Missing) -> Row:
    found = [one for one in replans.overrides if one.technique == technique]
    if found:
        given, shares = ", ".join(one.given for one in found), claimed_shares(found)
        if shares is None:
            return Row(State.RECOMMENDED, None, f"take {given} away: it replaces what vLLM does by itself")
        told = f"take {given} away: counted as {float(shares.low):.0%} of a step, the least that is claimed"
        return Row(State.RECOMMENDED, _or_none(saves), told)
    behind = "" if facts.release == newest_engine() else f"; the newest is {newest_engine().version}"
    return Row(State.APPLIED, None, f"on in vLLM {facts.release.version}, and nothing switches it off{behind}")


def _custom(_facts: Facts, _replans: Replans) -> Row:
    return Row(State.NOT_APPLICABLE, ZERO, "skipped on purpose: months of work for little beside the rest")


ROWS: Final[Mapping[str, RowOf]] = {
    "prefix-caching": _prefix_caching,
    "quantization": _quantization,
    "max-tokens-audit": _max_tokens,
    "retry-storms": _retries,
    "smart-routing": _routing,
    "batching": _batching,
    "kv-cache-quantization": _kv_cache,
    "output-length": _output_length,
    "context-compression": _compression,
    "prompt-optimization": _prompts,
    "speculative-decoding": _speculation,
    "kernel-fusion": _kernels,
    "flash-attention": _attention,
    "custom-kernels": _custom,
}
"""By the catalogue's names of the techniques; a test holds the two together."""


def _or_none(saves: Money | Missing) -> Money | None:
    return None if isinstance(saves, Missing) else saves


def _message(*figures: float | Missing) -> str:
    return next((one.message for one in figures if isinstance(one, Missing)), "")


def _about(tokens: float) -> str:
    """Return tokens in two digits: a reason that followed every request would be written in every cycle."""
    return f"{float(f'{tokens:.2g}'):.0f}"
