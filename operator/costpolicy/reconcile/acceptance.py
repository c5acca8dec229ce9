"""From recorded hours of variants that speculate to what their proposers are counted on for."""

from collections.abc import Mapping

from costpolicy.api.measured import SpeculationStatus
from costpolicy.observe.observation import PolicyObservation
from costpolicy.perf.acceptance import ObservedAcceptance, SpeculatedHour, observed_acceptance
from costpolicy.perf.speculation import ACCEPTANCES, Speculation
from costpolicy.planning.configuration import Proposer
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.speculation import proposer_of
from costpolicy.reconcile.snapshot import MetricsDown


def acceptance_of_proposers(
    request: PlanRequest, observed: PolicyObservation | MetricsDown
) -> Mapping[Proposer, ObservedAcceptance]:
    """Return what was seen of the policy's proposer and of the one that runs; nothing without enough evidence.

    Hours of variants that went count too: what was taken back for a poor acceptance is not tried again until Prometheus
    has forgotten it, and a restarted operator knows as much as before.
    """
    if isinstance(observed, MetricsDown):
        return {}
    proposers = {proposer_of(request.spec), request.running.proposer if request.running else None}
    found = {one: _seen(one, observed) for one in proposers if one is not None}
    return {proposer: acceptance for proposer, acceptance in found.items() if acceptance is not None}


def _seen(proposer: Proposer, observed: PolicyObservation) -> ObservedAcceptance | None:
    published = ACCEPTANCES.get(proposer.method)
    if published is None:
        return None
    hours = (
        SpeculatedHour(until=window.until, steps=spoken.steps, proposed=spoken.proposed, accepted=spoken.accepted)
        for windows in observed.windows.values()
        for window in windows
        if (spoken := window.speculated) is not None and spoken.proposer == proposer.label
    )
    return observed_acceptance(published, proposer.tokens, hours)


def speculation_status(request: PlanRequest) -> SpeculationStatus | None:
    """Return what was observed of the proposer that runs, or else of the policy's, to two digits."""
    running = request.running.proposer if request.running else None
    proposer = running or proposer_of(request.spec)
    seen = request.acceptance.get(proposer)
    if seen is None:
        return None
    counted = Speculation(tokens=proposer.tokens, acceptance=seen.counted)
    return SpeculationStatus(
        proposer=proposer.label,
        accepted_share=round(seen.accepted_share, 2),
        tokens_per_step=round(seen.tokens_per_step, 2),
        counted_tokens_per_step=round(counted.tokens_per_step, 2),
        steps=float(f"{seen.steps:.2g}"),
        hours=seen.hours,
    )
