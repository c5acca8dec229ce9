"""Requests to the planner made of few values, so that a failing example can be read."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from asking import PRICES, offered, request
from costpolicy.api.types import CapacityType
from costpolicy.perf.latency import Binding
from costpolicy.planning.planner import plan
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import PlanRequest
from costpolicy.units import Money

NOISE = 1.002
"""Capacity is found to a thousandth."""

MIXTURE = {"name": "mixture", "source": {"huggingFace": {"repository": "Qwen/Qwen3-30B-A3B"}}}

names = st.lists(st.sampled_from(sorted(PRICES)), min_size=1, max_size=3, unique=True)
ttfts = st.sampled_from(["150ms", "300ms", "800ms", "2s", "20s"])
rates = st.sampled_from([0.1, 1, 5, 20, 60])
tokens = st.sampled_from([100, 1000, 4000])


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """Few values instead of a whole request, so that a failing example can be read."""
    return {
        "names": draw(names),
        "context": draw(st.sampled_from([8192, 32768])),
        "ttft": draw(ttfts),
        "inter_token": draw(
            st.sampled_from([{}, {"interTokenLatency": {"p95": "25ms"}}, {"interTokenLatency": {"p95": "60ms"}}])
        ),
        "rate": draw(rates),
        "prompt": draw(tokens),
        "output": draw(tokens),
        "replicas": draw(st.sampled_from([2, 50])),
        "quantization": draw(st.sampled_from(["Enabled", "Disabled"])),
    }


def asking(given_: dict[str, Any], **spec: Any) -> PlanRequest:
    return request(
        offered(*given_["names"]),
        model={"contextLength": given_["context"], **spec.pop("model", {})},
        objectives={"ttft": {"p95": given_["ttft"]}, **given_["inter_token"], **spec.pop("objectives", {})},
        traffic={
            "requestsPerSecond": given_["rate"],
            "promptTokens": given_["prompt"],
            "outputTokens": given_["output"],
        },
        scaling={"maxReplicas": given_["replicas"]},
        techniques=spec.pop("techniques", {"quantization": {"mode": given_["quantization"]}}),
        **spec,
    )


def interruptible(asked: PlanRequest, share: Fraction = Fraction(1)) -> PlanRequest:
    """The same offered on Spot only, at a share of its price."""
    hardware = asked.spec.hardware.model_copy(update={"capacity_types": (CapacityType.SPOT,)})
    return replace(
        asked,
        spec=asked.spec.model_copy(update={"hardware": hardware}),
        supplies=tuple(
            replace(
                one,
                offering=replace(
                    one.offering,
                    capacity_type=CapacityType.SPOT,
                    hourly=one.offering.hourly.scaled(share.numerator, share.denominator),
                ),
            )
            for one in asked.supplies
        ),
    )


def cost(asked: PlanRequest) -> Money | None:
    found = plan(asked).target
    return found.cost_per_hour if found else None


def dearer_or_equal(one: Money | None, other: Money | None) -> bool:
    """Whether one plan costs at least as much as the other; no plan is the dearest of all."""
    return one is None or (other is not None and one >= other)


def latency_holds_back(replica: Replica, rate: float) -> bool:
    """Whether a replica cannot carry a rate, and latency is why.

    What misses by less than a hundredth is no shortfall, and keeps it from carrying the rate all the same.
    """
    held = replica.shortfall(rate) or replica.capacity.binding
    return replica.capacity.requests_per_second < rate and held in (Binding.TTFT, Binding.INTER_TOKEN)
