"""One replica serving one kind of request: the step times and waits that closed and open loop share.

Continuous batching in mean-field form.  Every step decodes the running requests and prefills the prompts that
arrived during the step before (gated batch service), as many as ``max_num_batched_tokens`` takes.
"""

from dataclasses import dataclass, replace
from math import ceil
from typing import NamedTuple

from costpolicy.perf import constants
from costpolicy.perf.fitted import FITTED, Fitted
from costpolicy.perf.latency import Unpredictable
from costpolicy.perf.memory import MemoryFit, memory_fit
from costpolicy.perf.ranks import together
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.step import StepCost, step_cost


class Wait(NamedTuple):
    """How long a request waits from arrival to the end of its prefill, and what that is made of (seconds).

    ``prefill`` is what each of the prompts that share a step adds to it, ``own`` the least that a step with one's own takes.
    """

    total: float
    decode_step: float
    prefill: float
    own: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An engine shape and a workload, reduced to the numbers the formulas need.

    ``seats`` is how many requests run at once (``max_num_seqs`` or KV cache, whichever is less; ``kv_seats``
    is the latter alone), ``prompts_per_step`` how many prompts one step takes, ``chunks`` how many steps one
    prompt takes, ``decode_steps`` the steps after the first token (at least one), ``alone`` the seconds that the
    prefill of a request takes when there is no other.  ``tokens_per_step`` is more than one with speculation, which then
    makes the steps fewer.  Requests, seats and prompts are those of the whole replica, all its data-parallel ranks.
    """

    cost: StepCost
    memory: MemoryFit
    prompt: float
    pairs: float
    context: float
    output_tokens: float
    length_cv: float
    decode_steps: float
    prompts_per_step: float
    chunks: int
    seats: float
    kv_seats: float
    alone: float
    first_token_overhead: float
    host_per_token: float
    tokens_per_step: float = 1.0

    @property
    def least_seconds(self) -> float:
        """Seconds of a replica that a request takes at least, whatever the batch: each token's arithmetic, each decoded
        token's read of its own KV cache and the attention of each prompt take their time in some step; weights are read at
        least once for each step, which serves at most all seats.  Data-parallel ranks are taken as perfectly even.
        """
        cost, decoded = self.cost, self.decode_steps
        own = (
            self.pairs * cost.attention_per_pair
            + decoded * self.context * cost.read_per_context_token
            + decoded * cost.overhead_per_sequence
        ) / cost.ranks
        arithmetic = cost.arithmetic_per_token * (self.prompt + decoded)
        reads = cost.dense_read * decoded / self.kv_seats
        return own + max(arithmetic, reads)

    def decode_step(self, sequences: float) -> float:
        """Return the seconds of a step that decodes so many requests and prefills none."""
        return self.cost.decode(sequences, self.context)

    def prefill(self, prompts: float, sequences: float, decode_step: float) -> float:
        """Return the seconds that each of ``prompts`` prompts adds to a decode step."""
        mixed = self.cost.seconds(prompts, prompts * self.prompt, prompts * self.pairs, sequences, self.context)
        return (mixed - decode_step) / prompts

    def wait(self, rate: float, decoding: float, waited: float, others: float) -> Wait:
        """Return the wait of prompts that arrive at ``rate`` a second while ``decoding`` of the ``others`` decode.

        ``waited`` is the wait of the iteration before: it sets how many prompts share a step's weight reads.
        A prompt that arrives meets a step of length-biased mean ``busy`` (E[T^2]/E[T] of the gated service),
        waits for half of it, then for its own step, which takes no less in company than alone, and for the prompts that
        arrived beside it.
        """
        decode_step, most = self.decode_step(decoding), self.prompts_per_step
        prefill = self.prefill(min(most, 1.0 + rate * waited), decoding, decode_step)
        share = rate * prefill
        full = decode_step + min(most, others) * prefill
        stable = min(share, constants.PREFILL_SHARE_CAP)
        gated = decode_step / (1.0 - stable) + prefill * stable / (1.0 - stable * stable)
        busy = min(gated, full)
        beside = min(share * busy, (most - 1.0) * prefill + share * busy / 2.0)
        alone = max(prefill, self.prefill(1.0, decoding, decode_step))
        total = busy / 2.0 + self.chunks * decode_step + alone + beside * (1.0 + 1.0 / most) / 2.0
        return Wait(total, decode_step, prefill, decode_step + alone)


def service(
    shape: EngineShape, workload: Workload, fitted: Fitted = FITTED, memory: MemoryFit | None = None
) -> Service | Unpredictable:
    """Reduce a shape and a workload; Unpredictable where not even one request fits.

    ``memory`` is the shape's :func:`~costpolicy.perf.memory.memory_fit`, where that was asked for already.
    """
    memory = memory_fit(shape) if memory is None else memory
    if not memory.fits:
        short = -memory.kv_cache_bytes / 2**30
        return Unpredictable(reason=f"the weights do not fit: {short:.1f} GiB per accelerator short of any KV cache")
    if workload.total_tokens > shape.max_model_len:
        return Unpredictable(
            reason=f"a request of {workload.total_tokens:.0f} tokens exceeds max_model_len {shape.max_model_len}"
        )
    if memory.max_concurrency_at(workload.total_tokens) < 1.0:
        return Unpredictable(
            reason=f"the KV cache holds {memory.rank_tokens} tokens, one request of "
            f"{workload.total_tokens:.0f} does not fit"
        )
    return _reduced(shape, workload, memory, fitted)


def _reduced(shape: EngineShape, workload: Workload, memory: MemoryFit, fitted: Fitted) -> Service:
    prompt, budget = workload.computed_tokens, shape.max_num_batched_tokens
    shared = workload.prompt_tokens - prompt
    ranks, prompts_per_step = shape.data_parallel_size, max(1.0, budget / prompt)
    cost = step_cost(shape, shared, fitted)
    if ranks > 1:
        cost = replace(cost, prompts_per_rank=prompts_per_step)
    pairs = prompt * (shared + prompt / 2.0)
    chunks = ceil(prompt / budget)
    # Keys and values of a shared prefix are read once per step and stay in the L2 cache, a layer at a time.
    context = prompt + workload.output_tokens / 2.0
    whole = cost.seconds(prompts=1.0, prompt_tokens=prompt, pairs=pairs, sequences=0.0, context=context)
    kv_seats = together(_kv_seats(workload, memory, shared), ranks)
    alone = whole + (chunks - 1) * cost.decode(0.0, context)
    decoded = max(1.0, workload.output_tokens - 1.0)
    steps = decoded if shape.speculation is None else max(1.0, decoded / shape.speculation.tokens_per_step)
    outside = fitted.request_overhead * shape.model.layers
    outside += constants.UNEXPLAINED_FIRST_TOKEN.get(shape.accelerator.family, 0.0) * (alone + outside)
    return Service(
        cost=cost,
        memory=memory,
        prompt=prompt,
        pairs=pairs,
        context=context,
        output_tokens=workload.output_tokens,
        length_cv=workload.length_cv,
        decode_steps=steps,
        prompts_per_step=ranks * prompts_per_step,
        chunks=chunks,
        seats=max(1.0, min(together(float(shape.max_num_seqs), ranks), kv_seats)),
        kv_seats=kv_seats,
        alone=alone,
        first_token_overhead=outside,
        host_per_token=constants.HOST_SECONDS_PER_TOKEN / (shape.api_servers * shape.stream_interval),
        tokens_per_step=decoded / steps,
    )


def _kv_seats(workload: Workload, memory: MemoryFit, shared: float) -> float:
    """Return how many requests the KV cache of a rank holds at half their output, a shared prefix held once."""
    shared_bytes = memory.cache.per_token * shared
    each = memory.cache.of_sequence(workload.prompt_tokens + workload.output_tokens / 2.0) - shared_bytes
    return max(1.0, (memory.kv_cache_bytes - shared_bytes) / each)
