"""Plan requests and their answers, for tests of the planner and of what is built on it."""

from typing import Any

from builders import offering, policy
from costpolicy.api.types import WeightFormat
from costpolicy.catalog.engines import engine
from costpolicy.catalog.models import models
from costpolicy.catalog.prices import Offering
from costpolicy.planning.demand import expected_demand
from costpolicy.planning.plan import Candidate, Plan
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.supply import unlimited

PRICES = {
    "nvidia-t4": "0.53",
    "nvidia-l4": "0.80",
    "nvidia-a10g": "1.01",
    "nvidia-l40s": "1.86",
    "nvidia-a100-80gb": "3.00",
    "nvidia-h100-80gb": "4.50",
    "nvidia-h200": "5.50",
}
"""Round prices in the order of the market, so that a test can be checked by head."""
LLAMA_70B: dict[str, Any] = {
    "name": "llama-70b",
    "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-70B"}},
    "contextLength": 4096,
}
FEW_LONG_ANSWERS = {"requestsPerSecond": 0.2, "promptTokens": 500, "outputTokens": 150}
INT8_CHECKPOINT = [{"format": "int8", "source": {"huggingFace": {"repository": "example/Llama-3.1-70B-int8"}}}]


def offered(*names: str) -> tuple[Offering, ...]:
    """On-demand offerings at :data:`PRICES`, of all accelerators or of those named."""
    return tuple(offering(name, PRICES[name]) for name in names or PRICES)


def request(
    offerings: tuple[Offering, ...] | None = None, *, running: Any = None, version: str = "0.32", **spec: Any
) -> PlanRequest:
    """A plan request for :func:`builders.policy` outside a cluster; keywords are fields of the spec."""
    asked = policy(**spec).spec
    assert asked.model is not None
    assert asked.model.source.hugging_face is not None
    repository = asked.model.source.hugging_face.repository
    architecture = models().resolve(repository)
    assert architecture is not None
    return PlanRequest(
        spec=asked,
        architecture=architecture,
        source_format=WeightFormat(models().format_of(repository)),
        demand=expected_demand(asked.traffic),
        supplies=unlimited(offered() if offerings is None else offerings),
        engine=engine(version),
        running=running,
    )


def candidate(plan: Plan, accelerator: str, **fields: Any) -> Candidate:
    """The first candidate on an accelerator whose configuration has these fields."""
    return next(
        one
        for one in plan.candidates
        if one.configuration.accelerator == accelerator
        and all(getattr(one.configuration, name) == value for name, value in fields.items())
    )
