"""Limits that are asked for and not reached, and answers that go on after they are of any use."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.planning.demand import Demand
from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy, per_request, saving_of
from costpolicy.savings.audit.lengths import Excess, Lengths

KEPT: Final = 0.99
"""Share of the answers that a recommended cap leaves whole."""
FAR: Final = 2.0
"""Limits beyond this multiple of what is generated are over-asked: buckets are up to 2.5 times as wide as they begin."""
_SHARE: Final = 0.02
"""Of the generated tokens; less is not worth a change of a client."""
CUT: Final = 0.05
"""Share of answers that end at their limit from which on limits decide how long answers are."""


def _limits(evidence: Evidence) -> Answer:
    answers, limits = evidence.answers, evidence.limits
    if answers is None or limits is None:
        return Missing(reason=Reason.NO_SAMPLES, message="the engines do not export histograms of answers and limits")
    mean, asked = answers.mean, limits.mean
    if mean is None or asked is None:
        return Missing(reason=Reason.NO_TRAFFIC, message="no request finished")
    cap = answers.bound_of(KEPT)
    if cap is None or asked <= FAR * cap:
        return Healthy()
    beyond = answers.beyond(cap)
    return Found(
        evidence=(
            f"limits in force are {asked:.0f} tokens on average, answers {mean:.0f}; {KEPT:.0%} of them end by {cap:.0f}. "
            "The engine counts limits after it has filled in and clamped them: what clients ask is known to a router only"
        ),
        advice=(
            f"cap answers at {cap:.0f} tokens, which cuts {beyond.requests / answers.requests:.1%} of them. A limit that is "
            "not reached costs nothing in vLLM; the cap only bounds what an answer that runs away can cost"
        ),
        confidence=Confidence.HIGH,
        saving=saving_of(evidence, _without(evidence, beyond)),
        wasted_tokens=beyond.tokens,
        share=beyond.tokens / answers.tokens if answers.tokens else 0.0,
    )


def _past_use(evidence: Evidence) -> Answer:
    answers = evidence.answers
    if answers is None:
        return Missing(reason=Reason.NO_SAMPLES, message="the engines do not export a histogram of answers")
    if answers.mean is None:
        return Missing(reason=Reason.NO_TRAFFIC, message="no request finished")
    useful = evidence.stated.useful_tokens
    return _past_stated(evidence, answers, useful) if useful else _past_inferred(evidence, answers)


def _past_stated(evidence: Evidence, answers: Lengths, useful: float) -> Answer:
    beyond = answers.beyond(useful)
    share = beyond.tokens / answers.tokens
    if share < _SHARE:
        return Healthy()
    said = f"{beyond.tokens:.0f} of {answers.tokens:.0f} generated tokens ({share:.0%}) come after the {useful:.0f}th of an answer"
    return _found(evidence, beyond, share, said, Confidence.HIGH)


def _past_inferred(evidence: Evidence, answers: Lengths) -> Answer:
    """Judge without a word about what is useful: answers that end by themselves show how long they need to be."""
    cut, ended = evidence.finished.get("length", 0.0), evidence.finished.get("stop", 0.0)
    if cut < CUT * answers.requests:
        return Healthy()
    if ended < CUT * answers.requests:
        return Missing(
            reason=Reason.NOT_STATED,
            message="nearly every answer is cut at its limit, so that no metric says how long answers are of use: state it",
        )
    enough = answers.bound_of(1.0 - cut / answers.requests)
    if enough is None:
        return Healthy()
    beyond = answers.beyond(enough)
    share = beyond.tokens / answers.tokens
    if share < _SHARE or beyond.tokens < FAR * enough * beyond.requests:
        return Healthy()
    said = (
        f"answers that end by themselves end by {enough:.0f} tokens; the {cut / answers.requests:.0%} that run to their limit "
        f"generate {beyond.tokens:.0f} tokens ({share:.0%} of all) beyond that"
    )
    return _found(evidence, beyond, share, said, Confidence.LOW)


def _found(evidence: Evidence, beyond: Excess, share: float, said: str, confidence: Confidence) -> Found:
    return Found(
        evidence=said,
        advice="set stop sequences, or max_tokens, where these answers are asked for: what is generated after their use is paid for",
        confidence=confidence,
        saving=saving_of(evidence, _without(evidence, beyond)),
        wasted_tokens=beyond.tokens,
        share=share,
    )


def _without(evidence: Evidence, beyond: Excess) -> Callable[[Demand], Demand]:
    """Return how a demand changes when its answers end before what lies beyond."""
    less = per_request(evidence, beyond.tokens) if Figure.FIRST_TOKENS in evidence.counted else 0.0
    return lambda demand: replace(demand, output_tokens=max(demand.output_tokens - less, 1.0))


MAX_TOKENS: Final = Audit(name="max-tokens", title="Limits that are not reached", needs=(), judge=_limits)
PAST_USE: Final = Audit(name="past-useful-length", title="Answers past their use", needs=(), judge=_past_use)
