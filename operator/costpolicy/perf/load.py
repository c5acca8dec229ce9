"""One replica under random arrivals, as a function of the mean number of requests that decode.

Little's law gives the rate in closed form, ``rate = n / (decode_steps * step + prefills)``; it rises with ``n``, so a
rate has one ``n``.  ``step`` is a step with the ``n`` others that a request sees and, in bursts, its mates too;
``prefills`` are those of requests that arrive while it decodes; the API server bounds the rate.
"""

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import NamedTuple

from costpolicy.perf import constants
from costpolicy.perf.arrival_wait import ArrivalWait, arrival_wait, sharing
from costpolicy.perf.arrivals import peakedness
from costpolicy.perf.crossing import NEARLY_IDLE, crossing
from costpolicy.perf.latency import Unpredictable
from costpolicy.perf.ranks import together
from costpolicy.perf.service import Service, service
from costpolicy.perf.shape import EngineShape, Workload

_NEARBY = 0.01
_LONGER = 0.1
_HALF_BLOCK = 8
"""Tokens of its last block of KV cache that a sequence has not filled yet, on average (blocks of 16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """An engine and its workload, reduced to the numbers the formulas need.

    ``lone_step`` is a step that decodes one request, ``own_prefill`` the part of a lone prefill that
    follows the prompt's length, in seconds; ``most`` the rate at which all seats are taken, were the token budget large
    enough; ``saturation`` where it or the seats are full.
    """

    served: Service
    workload: Workload
    lone_step: float
    own_prefill: float
    most: float
    saturation: "Saturation"


class Saturation(NamedTuple):
    """The running requests, and the rate (requests a second), at which seats or the token budget are full."""

    running: float
    rate: float


class Flow(NamedTuple):
    """Rate (requests a second), the requests that decode beside one (itself included), their step and what a prompt adds to
    it (seconds), and host utilization to the power of the norm.
    """

    rate: float
    beside: float
    step: float
    prefill: float
    host: float


class Load(NamedTuple):
    """A replica with a mean of ``running`` decoding requests; seconds, requests a second.

    ``elasticity`` is by how many per cent the running requests grow with one per cent more arrivals, the API server
    aside (``host`` is its utilization to the power of its norm, which allows for chance already); ``peakedness`` the
    variance over the mean of the arrivals within a request's stay; ``full_step`` how long a step lasts that has as
    many prompts as the token budget takes.
    """

    running: float
    rate: float
    host: float
    wait: ArrivalWait
    elasticity: float
    peakedness: float
    inter_token: float
    full_step: float

    @property
    def fluctuation(self) -> float:
        """How far p95 of the running requests lies above their mean."""
        return constants.FLUCTUATION_P95 * sqrt(self.running * self.peakedness * self.elasticity * (1.0 + self.host))


def reduced(
    shape: EngineShape, workload: Workload, known: Service | Unpredictable | None = None
) -> Replica | Unpredictable:
    """Reduce a shape and a workload; Unpredictable where not even one request fits.

    ``known`` is their :func:`~costpolicy.perf.service.service`, where that was asked for already.

    At any moment long answers are more often met than short ones, so a running request has half of
    ``output * (1 + length_cv ** 2)`` tokens behind it on average: what decoding reads and the KV cache holds.  Of a
    prompt's attention the mean is that of its squared length.
    """
    served = service(shape, workload) if known is None else known
    if isinstance(served, Unpredictable):
        return served
    generated = workload.output_tokens * (1.0 + workload.length_cv**2) / 2.0
    more_pairs = (served.prompt * workload.length_cv) ** 2 / 2.0
    ranks = shape.data_parallel_size
    kv_seats = together(_kv_seats(workload, served, generated), ranks)
    served = replace(
        served,
        pairs=served.pairs + more_pairs,
        alone=served.alone + more_pairs * served.cost.attention_per_pair,
        context=served.prompt + generated,
        kv_seats=kv_seats,
        seats=max(1.0, min(together(float(shape.max_num_seqs), ranks), kv_seats)),
    )
    own = min(served.alone, served.alone * _length_share(served))
    lone = served.decode_step(1.0)
    unbounded = Replica(
        served=served,
        workload=workload,
        lone_step=lone,
        own_prefill=own,
        most=inf,
        saturation=Saturation(served.seats, inf),
    )
    full = flow_at(unbounded, served.seats)
    return replace(unbounded, most=full.rate, saturation=_saturation(unbounded, full))


def _kv_seats(workload: Workload, served: Service, generated: float) -> float:
    """Return how many requests the KV cache of a rank holds at once, a shared prefix held once.

    The first of the queue holds up the others until its whole prompt finds room: about half of what prompts are long
    on average as they are met in time stays empty.  Simulated closed loops with more clients than seats, prompts no
    shorter than answers: the requests admitted are within 3 % of this at the median, within 11 % in nine of ten.
    """
    cache, shared = served.memory.cache, workload.prompt_tokens - served.prompt
    shared_bytes = cache.per_token * shared
    each = cache.of_sequence(workload.prompt_tokens + generated + _HALF_BLOCK) - shared_bytes
    empty = cache.per_token * served.prompt * (1.0 + workload.length_cv**2) / 2.0
    return max(1.0, (served.memory.kv_cache_bytes - shared_bytes - empty) / each)


def _length_share(served: Service) -> float:
    """Return by how many per cent a lone prefill grows with one per cent more prompt."""
    usual, longer = (
        served.cost.seconds(
            prompts=1.0,
            prompt_tokens=served.prompt * grown,
            pairs=served.pairs * grown * grown,
            sequences=0.0,
            context=served.context,
        )
        for grown in (1.0, 1.0 + _LONGER)
    )
    return (longer / usual - 1.0) / _LONGER


def flow_at(replica: Replica, running: float) -> Flow:
    """Return the rate that keeps so many requests decoding."""
    return _flow(replica, running, peakedness(replica.workload, running))


def _flow(replica: Replica, running: float, peak: float) -> Flow:
    served = replica.served
    beside = min(running + peak, served.seats)
    prefills = running + max(0.0, peak - 1.0) / 2.0
    step = served.decode_step(beside)
    prefill = served.prefill(sharing(served, running), beside, step)
    rate = running / (served.decode_steps * step + prefills * prefill)
    host = (rate * served.decode_steps * served.host_per_token) ** constants.OPEN_HOST_SHARPNESS
    rate /= (1.0 + host) ** (1.0 / constants.OPEN_HOST_SHARPNESS)
    return Flow(rate, beside, step, prefill, host)


def loaded(replica: Replica, running: float) -> Load:
    """Return the whole state at the rate that would keep so many requests decoding if they came evenly.

    The arrivals within a request's stay fluctuate (variance ``n`` times peakedness), and with them the running
    requests, ``elasticity`` times as much.  Since ``n`` grows faster than the rate, chance makes them more on average:
    to second order by ``peakedness * elasticity * (elasticity - 1)``, of which arrivals before a request's own stay
    count, but those within it do not (they delay it by their prefill whenever they come): half; and of few requests there
    is seldom another to delay.  Decoding takes no longer than with all seats taken.
    """
    peak = peakedness(replica.workload, running)
    served, at = replica.served, _flow(replica, running, peak)
    elasticity = _elasticity(served, at, running)
    others = running / (1.0 + running)
    crowd = min(
        others * min(running, peak * elasticity * (elasticity - 1.0) / 2.0),
        max(0.0, served.seats * at.rate / replica.most - running),
    )
    return Load(
        running=running + crowd,
        rate=at.rate,
        host=at.host,
        wait=arrival_wait(served, at.rate, running + crowd),
        elasticity=elasticity,
        peakedness=peak,
        inter_token=(running + crowd) / (at.rate * served.decode_steps),
        full_step=_full_step(served, at),
    )


def _elasticity(served: Service, at: Flow, running: float) -> float:
    """Return d ln(n) / d ln(rate), from the closed form of the rate; decode time at least grows with n.

    Where prompts that share a step take the less each, the more they are, they make up for some of it.
    """
    nearby = served.decode_step(at.beside + _NEARBY)
    fixed = served.decode_steps * max(_NEARBY * at.step, at.step - running * (nearby - at.step) / _NEARBY)
    shared = served.prefill(sharing(served, running * (1.0 + _NEARBY)), at.beside, at.step)
    fixed += running * max(0.0, at.prefill - shared) / _NEARBY
    stretched = served.decode_steps * at.step + running * at.prefill
    return max(1.0, stretched / fixed)


def _saturation(replica: Replica, full: Flow) -> Saturation:
    """Return where a replica is full, given its flow with all seats taken.

    In a step no more prompts can come than the token budget takes, nor then more decode than come in all of their steps.

    Of answers of a few tokens the flow hides more arithmetic of prompts behind the reading of weights than their few steps
    read; no replica is faster than its arithmetic.
    """
    served = replica.served
    most, fastest = min(served.seats, served.decode_steps * served.prompts_per_step), 1.0 / served.least_seconds
    if most < served.seats:
        full = flow_at(replica, most)
    use = _budget_use(replica, full)
    if use <= 1.0:
        return Saturation(most, min(full.rate, fastest))
    idle = _budget_use(replica, flow_at(replica, NEARLY_IDLE))
    running = crossing(lambda n: _budget_use(replica, flow_at(replica, n)), most, (idle, use))
    return Saturation(running, min(flow_at(replica, running).rate, fastest))


def _budget_use(replica: Replica, at: Flow) -> float:
    """Return how much of the prompts that the token budget lets through arrive."""
    return at.rate * _full_step(replica.served, at) / replica.served.prompts_per_step


def _full_step(served: Service, at: Flow) -> float:
    prompts = served.prompts_per_step
    return served.chunks * at.step + prompts * served.prefill(prompts, at.beside, at.step)
