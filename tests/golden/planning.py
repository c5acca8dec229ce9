"""Golden plans: ``plans/<case>.yaml`` (why it exists, a policy's spec, prices of its own if it has any) gives
``plans/expected/<case>.yaml``.

The expected file holds what a person would look at: what is chosen and why nothing else, not every candidate.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.catalog.prices import PriceList, merge_books
from costpolicy.cli.offline import Planned, plan_offline
from costpolicy.manifests.arguments import engine_arguments
from costpolicy.planning.explain import describe
from costpolicy.planning.plan import Target

FOLDER: Final = Path(__file__).parent / "plans"
PRICES: Final = FOLDER / "prices" / "market.yaml"
_NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a case asks; ``offerings`` replace those of the market."""

    why: str
    spec: dict[str, Any]
    offerings: tuple[dict[str, Any], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PlanCase:
    """A file with a situation and the file with the plan that was reviewed."""

    file: Path

    @property
    def expected(self) -> Path:
        """The file that holds the expected plan."""
        return FOLDER / "expected" / self.file.name

    def situation(self) -> Situation:
        """Read the case."""
        return TypeAdapter(Situation).validate_python(yaml.safe_load(self.file.read_text()))

    def planned(self) -> Planned:
        """Plan the case."""
        asked = self.situation()
        metadata = {"name": "golden", "namespace": "default"}
        policy = CostPolicy.model_validate(
            {"apiVersion": "costpolicy.dev/v1alpha1", "kind": "CostPolicy", "metadata": metadata, "spec": asked.spec}
        )
        return plan_offline(policy, _prices(asked))

    def rendered(self) -> str:
        """Return the plan as YAML."""
        planned = self.planned()
        plan = planned.plan
        summary = {
            "target": _target(planned, plan.target),
            "settings": list(plan.settings) or None,
            "recommended": _line(plan.recommended),
            "withoutCaps": _line(plan.uncapped) if plan.uncapped != plan.target else None,
            "whyNotCheaper": plan.why_not_cheaper or None,
            "infeasible": f"{plan.infeasible.reason}: {plan.infeasible.message}" if plan.infeasible else None,
            "candidates": dict(sorted(Counter(_fate(one.verdict, one.reason) for one in plan.candidates).items())),
        }
        present = {name: value for name, value in summary.items() if value is not None}
        return yaml.safe_dump(present, sort_keys=False, width=110, allow_unicode=True)


def plan_cases() -> list[PlanCase]:
    """Return every case, by name."""
    return [PlanCase(file) for file in sorted(FOLDER.glob("*.yaml"))]


def _prices(asked: Situation) -> PriceList:
    document = yaml.safe_load(PRICES.read_text())
    if asked.offerings:
        document["spec"]["offerings"] = list(asked.offerings)
    return merge_books([PriceBook.model_validate(document)], _NOW)


def _fate(verdict: str, reason: str) -> str:
    return str(reason) if verdict != "Chosen" else str(verdict)


def _target(planned: Planned, target: Target | None) -> dict[str, Any] | None:
    if target is None:
        return None
    return {
        "what": _line(target),
        "args": list(engine_arguments(planned.policy, target.configuration, planned.inputs.engine)),
    }


def _line(target: Target | None) -> str | None:
    if target is None:
        return None
    hourly = target.cost_per_hour
    return f"{describe(target.configuration, target.replicas)}: {hourly.text(2)} an hour, {hourly.monthly().text(2)} a month"
