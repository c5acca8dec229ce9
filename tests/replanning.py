"""Playbooks of a busy policy, with every plan made at once."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from asking import request
from auditing import CACHED, OUTPUT, PROMPT
from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import newest_engine
from costpolicy.planning.demand import Demand
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.savings.playbook.facts import Facts, Row, Traffic
from costpolicy.savings.playbook.playbook import Playbook, playbook
from costpolicy.savings.playbook.renewal import carried_on
from costpolicy.savings.playbook.replans import Case, Replans

UNSEEN = Missing(reason=Reason.NO_SAMPLES, message="not exported")
HEALTHY = Traffic(hit_ratio=CACHED / PROMPT, long_answer=300.0, limit=500.0, cut_share=0.0, abandoned=0.0)
BUSY = Demand(
    requests_per_second=600.0, prompt_tokens=PROMPT, output_tokens=OUTPUT, cached_tokens=CACHED, source="Observed"
)
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
H100 = {"accelerators": ["nvidia-h100-80gb"]}


def question(demand: Demand = BUSY, running: Any = None, **spec: Any) -> PlanRequest:
    """The 8B model on H100s, with room for many replicas."""
    asked = request(**{"hardware": H100, "scaling": {"maxReplicas": 1000}, **spec}, running=running)
    return replace(asked, demand=demand)


_KNOWN: list[Replans] = []
"""Equal questions have equal answers, and ten plans take a while."""


def replanned(asked: PlanRequest, abandoned: float = 0.0) -> Replans:
    """Every plan that a playbook compares."""
    for known in _KNOWN:
        if known.request == asked and known.abandoned == abandoned:
            return known
    found = carried_on(None, asked, plan(asked), abandoned, NOW)
    while not found.complete:
        found = found.with_one_more()
    _KNOWN.append(found)
    return found


def facts(asked: PlanRequest, **changes: Any) -> Facts:
    """A policy with traffic that nothing is wrong with."""
    target = replanned(asked).answers[Case.AS_IT_IS]
    fields: dict[str, Any] = {
        "spec": asked.spec,
        "running": asked.running,
        "planned": None if isinstance(target, Missing) else target.configuration,
        "refused": False,
        "gate": False,
        "traffic": HEALTHY,
        "release": newest_engine(),
    }
    return Facts(**{**fields, **changes})


def book(asked: PlanRequest, abandoned: float = 0.0, **changes: Any) -> Playbook:
    """Its playbook."""
    return playbook(facts(asked, **changes), replanned(asked, abandoned))


def row(found: Playbook, name: str) -> Row:
    """One technique's row."""
    return next(play.row for play in found.plays if play.technique.name == name)


def cost(asked: PlanRequest) -> int:
    """Micro-units an hour of the cheapest plan."""
    target = plan(asked).target
    assert target is not None
    return target.cost_per_hour.micros
