"""As many policies as a large company has, each with receipt, measurement, playbook, budget and two promises not kept."""

from costpolicy.api.policy import CostPolicy
from reviews import PLAYBOOK, change, measured, status, stored

_AT = "2026-11-09T09:40:00Z"
_UNMET = [
    {"type": kind, "status": "False", "reason": reason, "message": "for a reason that is told here in a sentence"}
    for kind, reason in (("ObjectivesMet", "ObjectiveMissed"), ("WithinBudget", "ForecastExceedsBudget"))
]


def fleet_of(count: int) -> list[CostPolicy]:
    """Policies in forty namespaces; names as long as people make them."""
    told = status(
        "13.84",
        "6900.40",
        "9120.00",
        history=[change(_AT)],
        measurement=measured(_AT),
        playbook=PLAYBOOK,
        conditions=_UNMET,
    )
    pattern = stored("pattern", status=told, budget={"monthly": "8500", "hourly": "20"})
    return [
        pattern.model_copy(
            update={
                "metadata": pattern.metadata.model_copy(
                    update={"namespace": f"team-{number % 40:02d}", "name": f"assistant-{number:04d}"}
                )
            }
        )
        for number in range(count)
    ]
