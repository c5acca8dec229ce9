"""The most that a replica could ever serve: a cheap upper bound of ``open_loop.capacity``, for pruning.

Every token's arithmetic, every decoded token's read of its own KV cache and the attention of every prompt take their
time in some step, whatever the batch; weights are read at least once for each step, which serves at most all seats.
"""

from costpolicy.perf import constants
from costpolicy.perf.latency import Unpredictable
from costpolicy.perf.service import service
from costpolicy.perf.shape import EngineShape, Workload


def most_requests_per_second(shape: EngineShape, workload: Workload) -> float | None:
    """Return a rate that one replica cannot exceed, or ``None`` where not even one request fits."""
    served = service(shape, workload)
    if isinstance(served, Unpredictable):
        return None
    cost, decoded = served.cost, served.decode_steps
    own = (
        served.pairs * cost.attention_per_pair
        + decoded * served.context * cost.read_per_context_token
        + decoded * cost.overhead_per_sequence
    )
    arithmetic = cost.linear_per_token * (served.prompt + decoded)
    reads = cost.dense_read * decoded / served.seats
    return constants.MAX_THROUGHPUT_SHARE / (own + max(arithmetic, reads))
