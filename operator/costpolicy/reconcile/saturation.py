"""From what saturated engines served to how much of the predicted saturation a replica reaches."""

from collections.abc import Mapping
from typing import Final

from costpolicy.observe.saturation import Saturation
from costpolicy.perf.latency import Unpredictable
from costpolicy.perf.load import reduced
from costpolicy.perf.shape import EngineShape
from costpolicy.planning.basis import workload_of
from costpolicy.planning.demand import Demand

ENOUGH: Final = 5.0
"""Minutes of saturation that say something: those of one window of rates."""


def reached_saturation(shape: EngineShape, kernels: str, seen: Mapping[str, Saturation]) -> float | None:
    """Return served over predicted, at the load that saturated engines had; ``None`` where too little was seen.

    Predicted is the engine that runs; what was seen may be of one that ran before it with other settings.  In two digits, so
    that a plan stays while one more minute is seen.
    """
    saturation = seen.get(kernels)
    if saturation is None or saturation.minutes < ENOUGH:
        return None
    demand = Demand(
        requests_per_second=saturation.requests_per_second,
        prompt_tokens=saturation.prompt_tokens,
        output_tokens=saturation.output_tokens,
        cached_tokens=saturation.cached_tokens,
        source="Observed",
    )
    replica = reduced(shape, workload_of(demand))
    if isinstance(replica, Unpredictable):
        return None
    return round(saturation.requests_per_second / replica.saturation.rate, 2)
