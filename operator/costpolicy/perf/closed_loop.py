"""A closed loop: a fixed number of clients, each sending its next request when the last one is answered.

The form of benchmarks, and of the measurements that the constants come from.
"""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from costpolicy.perf import constants
from costpolicy.perf.admission import outgrows, played
from costpolicy.perf.fitted import FITTED, Fitted
from costpolicy.perf.latency import Latency, Quantiles, Unpredictable
from costpolicy.perf.service import Service, Wait, service
from costpolicy.perf.shape import EngineShape, Workload

_ITERATIONS = 60
_TOLERANCE = 1e-6
_DAMPING = 0.5
_HOST_ITERATIONS = 3
_SHARP = constants.HOST_SHARPNESS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cycle:
    """The fixed point: a request waits, decodes for ``decoding`` seconds, and its slot starts over."""

    wait: Wait
    wait_seconds: float
    decoding: float
    running: float

    @property
    def seconds(self) -> float:
        return self.wait_seconds + self.decoding


class _Queue(NamedTuple):
    """Seconds that a request waits to be let in, and that it is thrown out after its first token."""

    waited: float
    stalled: float


def closed_loop(
    shape: EngineShape,
    workload: Workload,
    concurrency: float,
    rounds: float | None = None,
    fitted: Fitted = FITTED,
) -> Latency | Unpredictable:
    """Return the latencies of ``concurrency`` clients in a closed loop.

    Args:
        shape: the engine.
        workload: token counts of a request.
        concurrency: requests in flight, at least 1.
        rounds: requests each client sends, the burst in which all start together included; ``None`` for a
            steady state.  A benchmark of ten requests a client has a tenth of its TTFTs in that burst.
        fitted: the constants to predict with.

    Raises:
        ValueError: concurrency or rounds is below 1.
    """
    if concurrency < 1 or (rounds is not None and rounds < 1):
        raise ValueError(f"concurrency {concurrency} and rounds {rounds} must be at least 1")
    served = service(shape, workload, fitted)
    if isinstance(served, Unpredictable):
        return served
    # A convoy: requests of equal length keep the order they started in, so each waits for the one before.
    convoy = workload.length_cv * workload.output_tokens < 1.0
    burst_share = 0.0 if rounds is None else 1.0 / rounds
    if outgrows(served, workload, concurrency):
        limits = shape.max_num_seqs, shape.max_num_batched_tokens
        admission = played(served, workload, round(concurrency), limits)
        cycle = _steady_cycle(
            served, min(admission.running, concurrency), convoy=convoy, prefills=1.0 + admission.recomputed
        )
        waited = burst_share * admission.first_wait + (1.0 - burst_share) * admission.steady_wait
        return _latency(served, cycle, _Queue(waited, admission.stalled), burst_share)
    cycle = _steady_cycle(served, min(concurrency, served.seats), convoy=convoy)
    return _latency(served, cycle, _queue_for_seats(cycle, concurrency, burst_share), burst_share)


def _steady_cycle(served: Service, running: float, *, convoy: bool, prefills: float = 1.0) -> _Cycle:
    """Find the cycle time that running requests give themselves (damped fixed point).

    ``prefills`` is how often a prompt is computed: more than once where preempted requests compute theirs again.
    """
    others = running - 1.0
    waited, decoding = served.alone, served.decode_steps * served.decode_step(running)
    for iteration in range(_ITERATIONS):
        cycle = waited + decoding
        wait = served.wait(others / cycle, running * decoding / cycle, waited, others)
        total = wait.total
        if others <= 0.0:
            total = served.alone
        elif convoy:
            total = max(total, 2.0 * wait.own)
        total, busy = _balanced(served, wait, total, running, prefills)
        if abs(total - waited) + abs(busy - decoding) < _TOLERANCE * cycle:
            break
        damping = _DAMPING if iteration < _ITERATIONS // 3 else _DAMPING / 2.0
        waited += damping * (total - waited)
        decoding += damping * (busy - decoding)
    return _Cycle(wait=wait, wait_seconds=waited, decoding=decoding, running=running)


def _balanced(served: Service, wait: Wait, total: float, running: float, prefills: float) -> tuple[float, float]:
    """Return how long a request waits and decodes, given how long its steps and a prompt take and ``total``, its wait.

    While it decodes, as many of the others' prompts are computed as the share of the cycle that decoding takes: solved
    for that share, since iterations crawl where prefills fill nearly all steps.  No cycle is shorter than all its work;
    what is missing lengthens both.  A step takes no more prompts than its budget: they wait, and with short outputs most
    requests do.
    """
    most = min(served.prompts_per_step, running)
    own = served.decode_steps * wait.decode_step
    beside = prefills * (running - 1.0) * wait.prefill
    longest = own + served.decode_steps * most * wait.prefill
    least = running * (wait.prefill + wait.decode_step / most)
    half = (own + beside - total) / 2.0
    decoding = half + sqrt(half * half + own * total)
    decoding = min(decoding * max(1.0, least / (total + decoding)), longest)
    return max(total, least - decoding), decoding


def _queue_for_seats(cycle: _Cycle, concurrency: float, burst_share: float) -> _Queue:
    """Return the wait of whom ``max_num_seqs`` keeps out, in a burst and after it."""
    queued, running = concurrency - cycle.running, cycle.running
    if queued <= 0.0:
        return _Queue(0.0, 0.0)
    steady = (1.0 - burst_share) * queued / running
    return _Queue(cycle.seconds * (steady + burst_share * queued * queued / (2.0 * running * concurrency)), 0.0)


def _latency(served: Service, cycle: _Cycle, queue: _Queue, burst_share: float) -> Latency:
    running, steady_share = cycle.running, 1.0 - burst_share
    inter_token, host = _streamed(served, cycle)
    answering = inter_token * served.decode_steps
    streaming = host * served.decode_steps
    utilization = min(streaming / (cycle.wait_seconds + answering), constants.HOST_UTILIZATION_CAP)
    # Closed: never more in the API server's queue than all requests' tokens of one cycle.
    host_wait = min(constants.HOST_QUEUE * host / (1.0 - utilization), streaming)
    engine = burst_share * _burst(served, running) + steady_share * cycle.wait_seconds
    engine += served.first_token_overhead
    waiting = max(0.0, engine - served.alone - served.first_token_overhead)
    late = (
        constants.TTFT_P95_WAIT * engine + constants.TTFT_P95_QUEUE * queue.waited + constants.TTFT_P95_HOST * host_wait
    )
    ttft = Quantiles(
        mean=engine + queue.waited + host_wait,
        p50=engine - (1.0 - constants.TTFT_P50_WAIT) * waiting + queue.waited + constants.TTFT_P50_HOST * host_wait,
        p95=late,
        p99=constants.TTFT_P99 * late,
    )
    # Little's law. The API server's queue is not in it: its limit is in the inter-token latency already.
    rate = running / (cycle.wait_seconds + served.first_token_overhead + answering)
    inter_token = (inter_token + queue.stalled / served.decode_steps) / served.tokens_per_step
    return Latency(
        ttft=ttft,
        inter_token=Quantiles(
            mean=inter_token,
            p50=inter_token,
            p95=constants.INTER_TOKEN_P95 * inter_token,
            p99=constants.INTER_TOKEN_P99 * inter_token,
        ),
        output_tokens_per_second=rate * served.output_tokens,
        requests_per_second=rate,
        running=running,
        kv_utilization=min(1.0, running / served.kv_seats),
    )


def _streamed(served: Service, cycle: _Cycle) -> tuple[float, float]:
    """Return the time between chunks as the client sees it, and the API server's seconds per chunk of all
    streams."""
    on_accelerator = inter_token = cycle.decoding / served.decode_steps
    host = 0.0
    for _ in range(_HOST_ITERATIONS):
        answering = inter_token * served.decode_steps
        streams = cycle.running * answering / (cycle.wait_seconds + answering)
        host = streams * served.host_per_token
        inter_token = on_accelerator * (1.0 + (host / on_accelerator) ** _SHARP) ** (1.0 / _SHARP)
    return inter_token, host


def _burst(served: Service, running: float) -> float:
    """Return the mean wait when all running requests start together and prefill one step's worth at a
    time."""
    most = served.prompts_per_step
    decode = served.decode_step(running)
    prefill = served.prefill(most, running, decode)
    return prefill * (running + min(most, running)) / 2.0 + decode * (running / most + 1.0) / 2.0
