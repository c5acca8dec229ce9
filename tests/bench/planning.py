"""How long a plan takes: every offering of the packaged list prices, and 5,000 candidates and more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from asking import request
from bench.figures import Figure, cpu_seconds, milliseconds
from builders import offering
from costpolicy.api.documents import parse_documents
from costpolicy.api.policy import CostPolicy
from costpolicy.api.types import CapacityType
from costpolicy.catalog.accelerators import Accelerator, accelerators
from costpolicy.catalog.prices import Offering, list_price_book, merge_books
from costpolicy.cli.offline import plan_offline
from costpolicy.perf.prediction import prediction
from costpolicy.planning.planner import plan
from costpolicy.planning.request import PlanRequest
from costpolicy.units import Money

EXAMPLES = Path(__file__).parents[2] / "examples"
REPEATS = 15
CHECKPOINTS = ("int8", "awq", "gptq", "nvfp4")
DISCOUNT = {CapacityType.ON_DEMAND: 1.0, CapacityType.RESERVED: 0.7, CapacityType.SPOT: 0.4}


def figures() -> Iterator[Figure]:
    """Yield one figure a policy, nothing predicted yet; the first plan of a process, which reads the catalogue, is not
    counted.
    """
    prices = merge_books([list_price_book()], datetime.now(tz=UTC))
    for name in ("minimal", "chat-8b", "llama-70b"):
        policy = _anywhere(EXAMPLES / f"{name}.yaml")
        candidates = len(plan_offline(policy, prices).plan.candidates)
        spent = cpu_seconds(partial(plan_offline, policy, prices), REPEATS, prediction.cache_clear)
        what = f"{len(prices.offerings)} offerings, {candidates} candidates"
        yield milliseconds(f"plan {name}.yaml ({what}), CPU", spent, "200 ms")
    for name, asked in large_requests().items():
        candidates = len(plan(asked).candidates)
        spent = cpu_seconds(partial(plan, asked), 7, prediction.cache_clear)
        yield milliseconds(f"plan {name} ({candidates} candidates), CPU", spent, "250 ms")


def large_requests() -> dict[str, PlanRequest]:
    """Return requests of 5,000 candidates and more, from one that the cheapest answers to one that nothing does."""
    eight = {"name": "chat", "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B"}}}
    seventy = {"name": "large", "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-70B"}}}
    many = {"requestsPerSecond": 400, "promptTokens": 1500, "outputTokens": 300}
    few = {"requestsPerSecond": 2, "promptTokens": 1500, "outputTokens": 300}
    both = {"ttft": {"p95": "900ms"}, "interTokenLatency": {"p95": "30ms"}}
    return {
        "few requests to 8B": everything(eight, few, both),
        "many requests to 8B": everything(eight, many, both),
        "many requests to 70B": everything(seventy, many, both),
        "few requests to 70B that need fast tokens": everything(
            seventy, few, {**both, "interTokenLatency": {"p95": "14ms"}}
        ),
        "70B faster than anything is": everything(seventy, few, {"ttft": {"p95": "5ms"}}),
        "70B over its budget": everything(seventy, many, both, budget={"hourly": "1.00"}),
    }


def everything(model: dict[str, Any], traffic: dict[str, Any], objectives: dict[str, Any], **spec: Any) -> PlanRequest:
    """Return a request that may use every accelerator, kind of capacity and number format."""
    checkpoints = [{"format": one, "source": {"huggingFace": {"repository": f"example/{one}"}}} for one in CHECKPOINTS]
    zones = [
        (kind, zone) for kind in CapacityType for zone in ("a", "b") if (kind, zone) != (CapacityType.RESERVED, "b")
    ]
    offerings = [_offering(one, *zone) for one in accelerators().values() for zone in zones]
    asked = request(
        tuple(offerings),
        model={**model, "contextLength": 8192, "checkpoints": checkpoints},
        traffic=traffic,
        objectives=objectives,
        hardware={"capacityTypes": [str(kind) for kind in CapacityType]},
        scaling={"maxReplicas": 1000},
        techniques={"quantization": {"mode": "Enabled"}, "kvCacheQuantization": {"mode": "Enabled"}},
        **spec,
    )
    return replace(asked, supplies=tuple(replace(one, reserved_free=0) for one in asked.supplies))


def _offering(accelerator: Accelerator, kind: CapacityType, zone: str) -> Offering:
    """Return an offering at a price that follows memory and bandwidth, as the market's does."""
    hourly = (accelerator.memory_bytes / 2**30 * 0.02 + accelerator.memory_bandwidth / 1e12) * DISCOUNT[kind]
    found = offering(accelerator.name, "1.00", capacity_type=kind, node_selector={"topology.kubernetes.io/zone": zone})
    hourly *= 1.0 if zone == "a" else 1.1
    return replace(found, hourly=Money(round(hourly * 1_000_000)))


def _anywhere(path: Path) -> CostPolicy:
    """Return the policy of an example, allowed on every accelerator that is offered."""
    [policy] = parse_documents(path.read_text())
    assert isinstance(policy, CostPolicy)
    hardware = policy.spec.hardware.model_copy(update={"accelerators": ()})
    return policy.model_copy(update={"spec": policy.spec.model_copy(update={"hardware": hardware})})
