"""Speculative decoding in a plan: who may propose, what is predicted of it, and what is said about it.

Values that a policy gives with mode Enabled are an order.  In mode Auto, and in mode Enabled without a value, it is only
for an inter-token latency that would be missed (``judgement``), and only where somebody measured that even the slowest
requests gain.  Rejection sampling keeps the distribution of answers, so a first deployment may have it.
"""

from typing import Final

from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.techniques import SpeculativeDecoding
from costpolicy.api.types import TechniqueMode, WeightFormat
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.engines import Engine
from costpolicy.catalog.models import models
from costpolicy.perf.latency import Latency, Saturated, Unpredictable
from costpolicy.perf.speculation import ACCEPTANCES, Draft, Speculation, eagle_head
from costpolicy.planning.configuration import Configuration, Proposer
from costpolicy.planning.request import PlanRequest

DEFAULT_TOKENS: Final = 3
"""Most methods refuse to start without a number; published acceptances are of this one."""

WORTHWHILE: Final = 1.05
"""Cautiously expected tokens a step from which it is tried: less than a twentieth is lost in the prediction's error."""

WITHOUT_MODEL: Final = "ngram"
"""Proposes what followed the same words earlier in the text: nothing to name and nothing to load."""

_NEED_MODEL: Final = frozenset({"draft_model", "eagle", "eagle3", "medusa"})


def ordered(request: PlanRequest) -> Proposer | None:
    """Return the proposer that the policy orders for whatever is planned, if it does."""
    asked = request.spec.techniques.speculative_decoding
    return proposer_of(request.spec) if asked.mode is TechniqueMode.ENABLED and _given(asked) else None


def permitted(request: PlanRequest) -> Proposer | None:
    """Return the proposer that the plan may use where inter-token latency would be missed; ``None`` where none is
    promised, allowed, supported or expected to help.
    """
    asked = request.spec.techniques.speculative_decoding
    if asked.mode is TechniqueMode.DISABLED or ordered(request) or request.spec.objectives.inter_token_latency is None:
        return None
    proposer = proposer_of(request.spec)
    predicted = speculation_of(proposer, request)
    if isinstance(predicted, Unpredictable) or predicted.tokens_per_step < WORTHWHILE:
        return None
    return None if unsupported(proposer, request.engine) else proposer


def proposer_of(spec: CostPolicySpec) -> Proposer:
    """Return who proposes in a policy, wherever it speculates."""
    asked = spec.techniques.speculative_decoding
    return Proposer(method=asked.method or WITHOUT_MODEL, tokens=asked.tokens or DEFAULT_TOKENS, model=asked.model)


def speculation_of(proposer: Proposer, request: PlanRequest) -> Speculation | Unpredictable:
    """Return what the performance model says of a proposer, at the acceptance that a promise may rest on: the one observed
    of it in this deployment, or else a published one.
    """
    known, target = ACCEPTANCES.get(proposer.method), request.architecture
    if known is None:
        return Unpredictable(reason=f"nobody published how often tokens of {proposer.method} are accepted")
    seen = request.acceptance.get(proposer)
    acceptance = known.cautious if seen is None else seen.counted
    if proposer.method == WITHOUT_MODEL:
        return Speculation(tokens=proposer.tokens, acceptance=acceptance)
    draft = _draft_model(proposer, target) if proposer.method == "draft_model" else _eagle(target)
    if isinstance(draft, Unpredictable):
        return draft
    return Speculation(tokens=proposer.tokens, acceptance=acceptance, draft=draft)


def unsupported(proposer: Proposer, engine: Engine) -> str:
    """Return why an engine would not start with a proposer; empty where nothing is known against it."""
    if proposer.method in _NEED_MODEL and proposer.model is None:
        return f"{proposer.method} needs a model that proposes: name it in spec.techniques.speculativeDecoding.model"
    if proposer.method == WITHOUT_MODEL and proposer.model is not None:
        return f"say how {proposer.model} proposes tokens: name spec.techniques.speculativeDecoding.method"
    flag = engine.flag("--spec-method")  # since 0.22; before that no list of the methods is known
    if flag is not None and proposer.method not in flag.choices:
        return f"vLLM {engine.version} has no method {proposer.method} for speculative decoding"
    return ""


def described(
    configuration: Configuration,
    request: PlanRequest,
    plain: Latency | Saturated | Unpredictable,
    found: Latency,
    margin: float,
) -> str:
    """Return why a plan speculates and what it expects, in one sentence; empty where it does not.

    Args:
        configuration: what is planned.
        request: what it is planned for.
        plain: what the same replicas would do without it.
        found: what they are expected to do with it.
        margin: what predicted inter-token latency is multiplied by before it is compared with a promise.
    """
    proposer = configuration.proposer
    if proposer is None:
        return ""
    why = "ordered by the policy" if ordered(request) else "without it the inter-token latency would be missed"
    start = f"speculative decoding ({proposer.method}, {proposer.tokens} tokens proposed a step): {why}"
    predicted = speculation_of(proposer, request)
    if isinstance(predicted, Unpredictable):
        return f"{start}; what it does is not predicted ({predicted.reason}), the figures are those without it"
    before = f"{plain.inter_token.p95 * 1000:.1f} ms" if isinstance(plain, Latency) else "a queue without end"
    return (
        f"{start}; {predicted.tokens_per_step:.2f} tokens a step at an acceptance of {predicted.acceptance:g}, "
        f"{_evidence(proposer, request)}, are expected to turn a "
        f"p95 of {before} into {found.inter_token.p95 * 1000:.1f} ms, before {margin - 1:.0%} margin for the prediction's error"
    )


def _given(asked: SpeculativeDecoding) -> bool:
    return asked.method is not None or asked.model is not None or asked.tokens is not None


def _evidence(proposer: Proposer, request: PlanRequest) -> str:
    """Return where the acceptance comes from that is counted on."""
    known, seen = ACCEPTANCES[proposer.method], request.acceptance.get(proposer)
    if seen is None:
        return f"that of the slowest requests measured (means {known.lowest:g} to {known.highest:g}: {known.source})"
    return (
        f"that of the slowest requests of this deployment (mean {seen.mean:.2f}, at least {seen.lowest:.2f} by {seen.hours} "
        f"hour(s) of {seen.steps:,.0f} steps; the slowest have {known.cautious / known.lowest:.0%} of that where they were measured)"
    )


def _eagle(target: ModelArchitecture) -> Draft | Unpredictable:
    head = eagle_head(target)
    if head is None:
        return Unpredictable(reason=f"the size of an EAGLE head for {target.id} is not known")
    return Draft(model=head, weights=WeightFormat.BF16, shares_head=True)


def _draft_model(proposer: Proposer, target: ModelArchitecture) -> Draft | Unpredictable:
    found = models().resolve(proposer.model) if proposer.model is not None else None
    if proposer.model is None or found is None:
        return Unpredictable(reason=f"the catalogue does not know {proposer.model}")
    if found.vocabulary != target.vocabulary:
        return Unpredictable(reason=f"{proposer.model} has another vocabulary than {target.id}")
    return Draft(model=found, weights=models().format_of(proposer.model))
