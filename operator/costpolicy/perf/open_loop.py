"""An open loop: requests arrive at random (Poisson), whether or not earlier ones are answered.

A stated approximation, steady state, in the mean number ``n`` of requests that decode:

* A request sees ``n`` others (Poisson arrivals see time averages), so it decodes in steps of ``n + 1``.
  Prefills take the share ``rate * prefill`` of the time, which stretches decoding.  Little's law gives the
  rate in closed form, ``rate = n / (decode_steps * step + n * prefill)``, and the API server bounds it; both
  rise with ``n``, so a given rate has one ``n``.
* TTFT is the gated-batch wait of :mod:`costpolicy.perf.service` as far as the engine is busy, plus queues
  for the token budget (M/D/c with the prompts of a step as servers) and for seats (M/G/c), by Sakasegawa's
  formula (Annals of the Institute of Statistical Mathematics 29, 1977), plus the API server.
* The running requests fluctuate around ``n`` with variance ``n * e``, ``e`` the elasticity of ``n`` to the
  rate (linear noise approximation): what p95 of inter-token latency and the KV-cache bound are taken at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import NamedTuple

from costpolicy.perf import constants
from costpolicy.perf.latency import Binding, Capacity, Latency, Quantiles, Saturated, Unpredictable
from costpolicy.perf.service import Service, Wait, service
from costpolicy.perf.shape import EngineShape, Workload

_NEARLY_IDLE = 1e-6
_NEARBY = 0.01
_PRECISION = 1e-3
_STEEPEST = 20.0


class _Flow(NamedTuple):
    """Rate (requests a second), decode step (seconds), host utilization to the power of the norm, and
    wait."""

    rate: float
    step: float
    host: float
    wait: Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class _Load:
    """A replica with a mean of ``running`` decoding requests; seconds, requests a second."""

    running: float
    rate: float
    wait: Wait
    step: float
    elasticity: float
    inter_token: float

    @property
    def fluctuation(self) -> float:
        """How far p95 of the running requests lies above their mean."""
        return constants.FLUCTUATION_P95 * sqrt(self.running * self.elasticity)


def open_loop(
    shape: EngineShape, workload: Workload, requests_per_second: float
) -> Latency | Saturated | Unpredictable:
    """Return the latencies at a rate of arrivals.

    Saturated carries the rate beyond which the queue grows without end; Unpredictable means that not even one
    request fits.

    Raises:
        ValueError: the rate is negative or not finite.
    """
    if not 0.0 <= requests_per_second < inf:
        raise ValueError(f"requests per second must be finite and not negative, not {requests_per_second}")
    served = service(shape, workload)
    if isinstance(served, Unpredictable):
        return served
    most, saturation = _saturation(served)
    if requests_per_second >= saturation:
        return Saturated(capacity=saturation)
    running = _NEARLY_IDLE
    if requests_per_second > 0.0:
        running = _crossing(lambda n: _flow(served, n).rate / requests_per_second, most)
    return _latency(served, _load(served, running))


def capacity(shape: EngineShape, workload: Workload, ttft_p95: float | None, inter_token_p95: float | None) -> Capacity:
    """Return the highest rate of arrivals at which p95 of both latencies keeps its objective (seconds).

    ``None`` is no objective; an objective is more than 0.  Margins for the model's own error are the caller's: pass objectives divided by
    them.
    """
    served = service(shape, workload)
    if isinstance(served, Unpredictable):
        return Capacity(requests_per_second=0.0, binding=Binding.KV_CACHE, latency_at_zero=served)
    most, saturation = _saturation(served)
    limits = _Limits(
        served,
        saturation,
        inf if ttft_p95 is None else ttft_p95,
        inf if inter_token_p95 is None else inter_token_p95,
    )
    idle = _load(served, _NEARLY_IDLE)
    at_zero = _latency(served, idle)
    strain, binding = limits.strain(idle)
    if strain > 1.0:
        return Capacity(requests_per_second=0.0, binding=binding, latency_at_zero=at_zero)
    running = _crossing(lambda n: limits.strain(_load(served, n))[0], most)
    load = _load(served, running)
    return Capacity(requests_per_second=load.rate, binding=limits.strain(load)[1], latency_at_zero=at_zero)


class _Limits:
    """What holds a replica back: each limit as a strain, the share of it that is used."""

    __slots__ = ("_inter_token", "_saturation", "_served", "_ttft")

    def __init__(self, served: Service, saturation: float, ttft: float, inter_token: float) -> None:
        self._served = served
        self._saturation = saturation
        self._ttft = ttft
        self._inter_token = inter_token

    def strain(self, load: _Load) -> tuple[float, Binding]:
        """Return the largest strain and the limit it belongs to."""
        served = self._served
        seats = (load.running + load.fluctuation + 1.0) / (served.kv_seats + 1.0)
        strains = [
            (load.rate / (constants.MAX_THROUGHPUT_SHARE * self._saturation), Binding.THROUGHPUT),
            (seats / constants.KV_HEADROOM, Binding.KV_CACHE),
        ]
        strains.append((_inter_token_p95(served, load) / self._inter_token, Binding.INTER_TOKEN))
        strains.append((_ttft(served, load)[1] / self._ttft, Binding.TTFT))
        return max(strains, key=lambda strain: strain[0])


def _flow(served: Service, running: float) -> _Flow:
    """Return the rate that keeps so many requests decoding, and the wait at it."""
    step = served.decode_step(min(running + 1.0, served.seats))
    wait = served.wait(0.0, running, 0.0)
    rate = running / (served.decode_steps * step + running * wait.prefill)
    wait = served.wait(rate, running, wait.total)
    rate = running / (served.decode_steps * step + running * wait.prefill)
    host = (rate * served.decode_steps * served.host_per_token) ** constants.OPEN_HOST_SHARPNESS
    rate /= (1.0 + host) ** (1.0 / constants.OPEN_HOST_SHARPNESS)
    return _Flow(rate, step, host, wait)


def _load(served: Service, running: float) -> _Load:
    flow = _flow(served, running)
    nearby = served.decode_step(min(running + 1.0, served.seats) + _NEARBY)
    # d ln(n) / d ln(rate), from the closed form of the rate; decode time at least grows with n.
    fixed = served.decode_steps * max(_NEARBY * flow.step, flow.step - running * (nearby - flow.step) / _NEARBY)
    stretched = served.decode_steps * flow.step + running * flow.wait.prefill
    return _Load(
        running=running,
        rate=flow.rate,
        wait=flow.wait,
        step=flow.step,
        elasticity=max(1.0, stretched / fixed * (1.0 + flow.host)),
        inter_token=running / (flow.rate * served.decode_steps),
    )


def _saturation(served: Service) -> tuple[float, float]:
    """Return the running requests, and the rate, at which seats or the token budget are full."""
    running = served.seats
    if _budget_use(served, _flow(served, running)) > 1.0:
        running = _crossing(lambda n: _budget_use(served, _flow(served, n)), running)
    return running, _flow(served, running).rate


def _budget_use(served: Service, flow: _Flow | _Load) -> float:
    """Return how much of the prompts that the token budget lets through arrive."""
    return flow.rate * _full_step(served, flow.wait) / served.prompts_per_step


def _full_step(served: Service, wait: Wait) -> float:
    return served.chunks * wait.decode_step + served.prompts_per_step * wait.prefill


def _latency(served: Service, load: _Load) -> Latency:
    ttft, ttft_p95 = _ttft(served, load)
    return Latency(
        ttft=Quantiles(mean=ttft, p50=ttft, p95=ttft_p95),
        inter_token=Quantiles(mean=load.inter_token, p50=load.inter_token, p95=_inter_token_p95(served, load)),
        output_tokens_per_second=load.rate * served.output_tokens,
        requests_per_second=load.rate,
        running=load.running,
        kv_utilization=min(1.0, load.running / served.kv_seats),
    )


def _ttft(served: Service, load: _Load) -> tuple[float, float]:
    """Return mean and p95 of TTFT: the engine's, two queues, and the API server's."""
    engine, engine_p95 = _engine_ttft(served, load)
    budget, budget_p95 = _queue(_full_step(served, load.wait), served.prompts_per_step, _budget_use(served, load), 0.5)
    answering = load.inter_token * served.decode_steps
    variability = (load.elasticity + served.length_cv**2) / 2.0
    seat, seat_p95 = _queue(answering, served.seats, load.running / served.seats, variability)
    host = load.running * served.host_per_token
    utilization = min(load.rate * served.decode_steps * served.host_per_token, constants.HOST_UTILIZATION_CAP)
    host_wait = constants.HOST_QUEUE * host / (1.0 - utilization)
    return engine + budget + seat + host_wait, engine_p95 + budget_p95 + seat_p95 + constants.WAIT_P95 * host_wait


def _engine_ttft(served: Service, load: _Load) -> tuple[float, float]:
    """Return mean and p95 of TTFT without queues: an idle engine starts at once, a busy one at its next
    step."""
    busy = 1.0 - exp(-load.running - load.rate * served.alone)
    idle = served.alone + served.first_token_overhead
    waiting = busy * max(0.0, load.wait.total - served.alone)
    return idle + waiting, constants.IDLE_TTFT_P95 * idle + constants.WAIT_P95 * waiting


def _inter_token_p95(served: Service, load: _Load) -> float:
    """Return p95 of inter-token latency: the mean's own spread, or that of the running requests."""
    crowded = served.decode_step(min(load.running + load.fluctuation + 1.0, served.seats))
    return load.inter_token * max(constants.INTER_TOKEN_P95, crowded / load.step)


def _queue(service_time: float, servers: float, utilization: float, variability: float) -> tuple[float, float]:
    """Return mean and p95 of the wait for one of several servers (Sakasegawa 1977; exponential tail)."""
    if utilization >= 1.0:
        return inf, inf
    waits = utilization ** (sqrt(2.0 * (servers + 1.0)) - 1.0)
    conditional = variability * service_time / (servers * (1.0 - utilization))
    return waits * conditional, conditional * max(0.0, log(20.0 * waits)) if waits > 0.0 else 0.0


def _crossing(strain: Callable[[float], float], highest: float) -> float:
    """Return the running requests at which an increasing strain reaches 1 (``highest`` if it does not
    before).

    To a thousandth, from below.  Illinois variant of the secant method on the logarithms of both, in which a
    rate is almost linear; steep ends (a queue without end) are clipped so that they do not flatten the
    secant.
    """
    low, high = log(_NEARLY_IDLE), log(highest)
    below, above = _log_strain(strain, low), _log_strain(strain, high)
    if above <= 0.0:
        return highest
    side = 0
    while high - low > _PRECISION and below < 0.0:
        middle = low + (high - low) * min(0.95, max(0.05, below / (below - above)))
        value = _log_strain(strain, middle)
        if value <= 0.0:
            low, below = middle, value
            above = above / 2.0 if side < 0 else above
            side = -1
        else:
            high, above = middle, value
            below = below / 2.0 if side > 0 else below
            side = 1
    return exp(low)


def _log_strain(strain: Callable[[float], float], log_running: float) -> float:
    value = strain(exp(log_running))
    return min(_STEEPEST, max(-_STEEPEST, log(value))) if value > 0.0 else -_STEEPEST
