"""Engine settings other than the defaults: what may be tried for an option once it is known what holds it back.

Each setting is tried only where the limit that it moves is the one that binds:

* ``max_num_batched_tokens`` where latency binds: a smaller step keeps prefills from delaying running sequences, a
  larger one lets a long prompt finish in fewer steps.  With data-parallel ranks a smaller one also leaves more memory.
* ``max_num_seqs`` below the default only where inter-token latency binds, above it only where the KV cache holds more
  sequences than the default admits.
* ``gpu_memory_utilization`` above the default only where memory binds and enough stays outside for CUDA graphs.
* API servers and the stream interval only where the one API process is what binds.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, assert_never

from costpolicy.api.reasons import Reason
from costpolicy.api.types import TechniqueMode
from costpolicy.perf.latency import Binding, Unpredictable
from costpolicy.perf.ranks import together
from costpolicy.perf.service import Service
from costpolicy.planning.basis import MOST_MEMORY
from costpolicy.planning.caps import CAP_REASONS
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.evaluation import Evaluation
from costpolicy.planning.options import Option
from costpolicy.planning.request import PlanRequest
from costpolicy.units import GIB

_BATCHED_TOKENS: Final = (2048, 4096, 8192, 16384)
_FEWER_SEQUENCES: Final = (16, 32, 64, 128, 256, 512)
_MORE_SEQUENCES: Final = (2, 4)
"""Times the default; twice is what ``--performance-mode throughput`` sets (vLLM 0.32)."""

OUTSIDE_BYTES: Final = 1 * GIB
"""What must stay free outside the engine's share, CUDA graphs not counted: other contexts on the device and what the
driver takes back (the same order as ``constants.RESERVED_BYTES``, which was fitted inside the share)."""

API_SERVERS: Final = 4
STREAM_INTERVAL: Final = 8
HOST_BOUND_SHARE: Final = 0.5
"""Utilization of the one API process from which more are tried: below half its queue adds little."""

_HELPFUL: Final = {
    Reason.DOES_NOT_FIT: (Binding.KV_CACHE,),
    Reason.CONTEXT_DOES_NOT_FIT: (Binding.KV_CACHE,),
    Reason.OBJECTIVE_UNREACHABLE: (Binding.NONE,),
    **dict.fromkeys(
        (*CAP_REASONS, Reason.SPECULATION_NOT_NEEDED), (Binding.INTER_TOKEN, Binding.TTFT, Binding.THROUGHPUT)
    ),
}


def helpful(reason: Reason) -> tuple[Binding, ...]:
    """Return the limits that other settings could move for an option that was rejected; none where nothing helps."""
    return _HELPFUL.get(reason, ())


def retuned(request: PlanRequest, option: Option, held: Binding, evaluation: Evaluation) -> Iterator[Option]:
    """Yield the option with one setting changed that could help against what holds it back.

    ``Binding.NONE`` is one request alone, which is only helped by finishing its prompt in fewer steps.  Settings that
    the user orders are left alone, and so are all of them under ``techniques.batching.mode: Disabled``.
    """
    if request.spec.techniques.batching.mode == TechniqueMode.DISABLED:
        return
    for configuration in _changed(request, option, held):
        yield replace(
            option,
            configuration=configuration,
            replica=evaluation.replica(configuration, option.accelerator),
        )


def _changed(request: PlanRequest, option: Option, held: Binding) -> Iterator[Configuration]:
    match held:
        case Binding.NONE:
            if request.demand.prompt_tokens > option.replica.shape.max_num_batched_tokens:
                yield from _other_steps(option)
        case Binding.INTER_TOKEN:
            yield from _other_steps(option)
            yield from _fewer_sequences(request, option)
            yield from _more_hosts(request, option)
        case Binding.KV_CACHE:
            yield from _more_memory(option)
            yield from _smaller_steps(option)
        case Binding.TTFT | Binding.THROUGHPUT:
            yield from _other_steps(option)
            yield from _more_sequences(option)
            yield from _more_memory(option)
            yield from _more_hosts(request, option)
        case _:
            assert_never(held)


def _other_steps(option: Option) -> Iterator[Configuration]:
    if option.configuration.max_num_batched_tokens is not None:
        return
    for tokens in _BATCHED_TOKENS:
        if tokens != option.replica.defaults.max_num_batched_tokens:
            yield replace(option.configuration, max_num_batched_tokens=tokens)


def _smaller_steps(option: Option) -> Iterator[Configuration]:
    """Yield what makes room for the KV cache: each data-parallel rank works on all ranks' full steps at once."""
    configuration = option.configuration
    if configuration.data_parallel_size == 1 or configuration.max_num_batched_tokens is not None:
        return
    if option.replica.ceiling is None:  # the smallest would not make enough
        return
    for tokens in _BATCHED_TOKENS:
        if tokens < option.replica.defaults.max_num_batched_tokens:
            yield replace(configuration, max_num_batched_tokens=tokens)


def _fewer_sequences(request: PlanRequest, option: Option) -> Iterator[Configuration]:
    """Yield the largest batch whose decode step keeps the promised inter-token latency, and half of it.

    Of fewer than the default already, half: prompts that share their steps may leave no time for as many.
    """
    replica, has = option.replica, option.configuration.max_num_seqs
    served, limit = replica.served, replica.most_inter_token
    if request.spec.techniques.batching.max_num_seqs is not None or isinstance(served, Unpredictable) or limit is None:
        return
    if has is not None:
        if 2 * _FEWER_SEQUENCES[0] <= has < replica.defaults.max_num_seqs:
            yield replace(option.configuration, max_num_seqs=has // 2)
        return
    sizes = ((one, _admitted(option, one)) for one in _FEWER_SEQUENCES)
    slowest = limit * served.tokens_per_step
    kept = [one for one, admitted in sizes if admitted < served.seats and served.decode_step(admitted) <= slowest]
    for sequences in kept[-2:]:
        yield replace(option.configuration, max_num_seqs=sequences)


def _more_sequences(option: Option) -> Iterator[Configuration]:
    served, default = option.replica.served, option.replica.defaults.max_num_seqs
    if option.configuration.max_num_seqs is not None or isinstance(served, Unpredictable):
        return
    for factor in _MORE_SEQUENCES:
        if served.kv_seats > _admitted(option, default * factor // 2):
            yield replace(option.configuration, max_num_seqs=default * factor)


def _admitted(option: Option, sequences: int) -> float:
    """Return how many requests a replica admits with a ``max_num_seqs``, which holds for each data-parallel rank."""
    return together(float(sequences), option.configuration.data_parallel_size)


def _more_memory(option: Option) -> Iterator[Configuration]:
    shape, served = option.replica.shape, option.replica.served
    if shape.gpu_memory_utilization >= MOST_MEMORY or not _safe_memory(option):
        return
    if isinstance(served, Unpredictable) or served.kv_seats < _admitted(option, shape.max_num_seqs):
        yield replace(option.configuration, gpu_memory_utilization=MOST_MEMORY)


def _safe_memory(option: Option) -> bool:
    """Whether :data:`MOST_MEMORY` leaves room outside the engine's share for its CUDA graphs and a reserve."""
    outside = option.accelerator.memory_bytes * (1 - MOST_MEMORY)
    return outside - option.replica.memory.graph_bytes >= OUTSIDE_BYTES


def _more_hosts(request: PlanRequest, option: Option) -> Iterator[Configuration]:
    """Yield more API servers for replicas of one accelerator, the only ones whose API process was measured.

    Longer chunks come only where no inter-token latency is promised: tokens then arrive several at a time.
    """
    configuration, engine, served = option.configuration, request.engine, option.replica.served
    if configuration.accelerators_per_replica > 1 or configuration.api_servers is not None:
        return
    if isinstance(served, Unpredictable) or not _host_bound(served):
        return
    if engine.flag("--api-server-count") is None or engine.flag("--stream-interval") is None:
        return
    yield replace(configuration, api_servers=API_SERVERS)
    if request.spec.objectives.inter_token_latency is None:
        yield replace(configuration, api_servers=API_SERVERS, stream_interval=STREAM_INTERVAL)


def _host_bound(served: Service) -> bool:
    """Whether all seats together decode so fast that one API process is busy for a good share of its time."""
    return served.seats / served.decode_step(served.seats) * served.host_per_token >= HOST_BOUND_SHARE
