"""Accelerators that are paid for and not needed."""

from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.savings.audit.evidence import Evidence, Figure, Held
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy
from costpolicy.savings.replan import Saving
from costpolicy.units import Money


def _held(evidence: Evidence) -> Held | Missing:
    return evidence.held or Missing(
        reason=Reason.NOT_STATED, message="which accelerators are held is not known: name them and what they cost"
    )


def _idle(evidence: Evidence) -> Answer:
    held = _held(evidence)
    if isinstance(held, Missing):
        return held
    if evidence.counted[Figure.FIRST_TOKENS] > 0 or evidence.counted[Figure.RUNNING] > 0:
        return Healthy()
    return Found(
        evidence=f"{held.accelerators} accelerators are held and served no request",
        advice="release them: delete the deployment, or let a schedule take it to 0 replicas for such times",
        confidence=Confidence.HIGH if evidence.span else Confidence.MEDIUM,
        saving=Saving(per_month=held.cost_per_hour.monthly(), accelerators_freed=float(held.accelerators)),
    )


def _too_many(evidence: Evidence) -> Answer:
    held, demand, pricing = _held(evidence), evidence.demand(), evidence.pricing
    if isinstance(held, Missing):
        return held
    if isinstance(demand, Missing):
        return demand
    if isinstance(pricing, Missing):
        return pricing
    needed = pricing.cost_per_hour(demand)
    if isinstance(needed, Missing):
        return needed
    too_much = Money(held.cost_per_hour.micros - needed.micros)
    replica = held.cost_per_hour.scaled(held.accelerators_per_replica, held.accelerators)
    if too_much < replica:
        return Healthy()
    spare = held.accelerators * too_much.micros / held.cost_per_hour.micros
    return Found(
        evidence=(
            f"{held.accelerators} accelerators cost {held.cost_per_hour.text(2)} an hour; the cheapest plan for "
            f"{demand.requests_per_second:.3g} requests a second of {demand.prompt_tokens:.0f} + {demand.output_tokens:.0f} tokens "
            f"costs {needed.text(2)}"
        ),
        advice="let replicas follow the load, and plan the configuration (costpolicy plan); mind peaks outside of what was counted",
        confidence=Confidence.MEDIUM,
        saving=Saving(per_month=too_much.monthly(), accelerators_freed=round(spare, 3)),
    )


IDLE: Final = Audit(
    name="idle-accelerators",
    title="Accelerators that serve nothing",
    needs=(Figure.FIRST_TOKENS, Figure.RUNNING),
    judge=_idle,
)
TOO_MANY: Final = Audit(
    name="over-provisioning", title="More than the load needs", needs=(Figure.FIRST_TOKENS,), judge=_too_many
)
