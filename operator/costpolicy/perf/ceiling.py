"""The best that any setting of an engine could reach with a model on accelerators: what a search prunes by.

Every figure is on the safe side of ``open_loop.capacity`` whatever ``max_num_seqs``, ``max_num_batched_tokens``, memory
share or number of API servers: the cache is what the smallest step leaves, seats are limited by it alone, prompts take
one step, and streaming costs nothing.
"""

from dataclasses import dataclass, replace

from costpolicy.perf import constants
from costpolicy.perf.latency import Unpredictable
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import EngineShape, Workload

_SMALLEST_STEP = 2048
_FREE_STREAMING = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What no setting can improve on.

    Attributes:
        requests_per_second: no replica serves more, whatever its latency.
        prefill: the seconds that the prefill of one request takes when there is no other.
        first_token: ``prefill`` and what surrounds it: the least TTFT.
        decode: the seconds of a step that decodes one request, over the tokens that it yields: the least inter-token
            latency.
    """

    requests_per_second: float
    prefill: float
    first_token: float
    decode: float
    _decode_steps: float
    _per_running: float
    _tokens_per_step: float

    def within(self, inter_token: float | None) -> float:
        """Return a rate that no replica exceeds while its mean inter-token latency keeps a limit (seconds).

        By Little's law a rate is running requests over their time, which is ``decode_steps`` times the inter-token
        latency; an arrival finds the mean number of them running, and each adds to the steps that it decodes in.
        """
        if inter_token is None:
            return self.requests_per_second
        step = inter_token * self._tokens_per_step
        running = (step - self.decode * self._tokens_per_step) / self._per_running
        return min(self.requests_per_second, max(0.0, running) / (self._decode_steps * step))


def loosest(shape: EngineShape, most_memory: float) -> tuple[int, float]:
    """Return the step budget and the memory share of a shape's ceiling: all that it depends on of the settings.

    ``most_memory`` is the highest ``gpu_memory_utilization`` that may be tried.
    """
    return min(_SMALLEST_STEP, shape.max_num_batched_tokens), max(most_memory, shape.gpu_memory_utilization)


def ceiling(shape: EngineShape, workload: Workload, most_memory: float) -> Ceiling | None:
    """Return the ceiling of a shape's model, accelerators and formats; ``None`` where not even one request fits."""
    step, memory = loosest(shape, most_memory)
    served = service(
        replace(
            shape,
            max_num_seqs=1,
            max_num_batched_tokens=step,
            gpu_memory_utilization=memory,
            api_servers=_FREE_STREAMING,
        ),
        workload,
    )
    if isinstance(served, Unpredictable):
        return None
    prefill = served.alone - (served.chunks - 1) * served.cost.decode(0.0, served.context)
    return Ceiling(
        requests_per_second=constants.MAX_THROUGHPUT_SHARE / served.least_seconds,
        prefill=prefill,
        first_token=prefill + served.first_token_overhead,
        decode=served.decode_step(1.0) / served.tokens_per_step,
        _decode_steps=served.decode_steps,
        _per_running=_per_running(served),
        _tokens_per_step=served.tokens_per_step,
    )


def _per_running(served: Service) -> float:
    """Return the seconds that one more running request adds at least to every step, its share of prefill included.

    Only what is never hidden behind the reading of weights: its own cache, its overheads, its prompt's attention, and
    its prompt's arithmetic beyond the time of that reading.
    """
    cost, context = served.cost, served.context
    prompt = served.pairs * cost.attention_per_pair + served.prompt * cost.allreduce_per_token
    prompt += cost.ranks * max(0.0, cost.arithmetic_per_token * served.prompt - cost.dense_read - cost.expert_read)
    return (
        context * cost.read_per_context_token
        + min(context, cost.window) * cost.read_per_window_token
        + cost.overhead_per_sequence
        + prompt / served.decode_steps
    ) / cost.ranks
