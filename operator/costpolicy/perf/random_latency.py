"""Time to first token and inter-token latency of a replica under random arrivals, as percentiles.

TTFT is the engine's own (an idle engine starts at once, a busy one at its next step), what bursts and unequal
prompts add to it, queues for the token budget and for seats, and the API server's queue.
"""

from math import exp

from costpolicy.perf import constants
from costpolicy.perf.arrivals import mates, peakedness
from costpolicy.perf.latency import Quantiles
from costpolicy.perf.load import Load, Replica
from costpolicy.perf.percentiles import Moments
from costpolicy.perf.queueing import Queue, queue, waiting_share


def ttft(replica: Replica, load: Load) -> Quantiles:
    """Return the time to first token.

    The queue for a seat is seldom and long, so its percentiles are added to those of the rest.
    """
    rest = (_engine(replica, load) + _budget(replica, load).moments + _host(replica, load)).quantiles()
    seat = _seat(replica, load).quantiles()
    mean = rest.mean + seat.mean
    p95 = max(mean, rest.p95 + seat.p95)
    return Quantiles(mean=mean, p50=rest.p50 + seat.p50, p95=p95, p99=max(p95, rest.p99 + seat.p99))


def _budget(replica: Replica, load: Load) -> Queue:
    """Return the queue for the token budget, whose servers are the prompts of a step."""
    workload, prompts = replica.workload, replica.served.prompts_per_step
    peak = peakedness(workload, load.rate * load.full_step)
    waits = waiting_share(load.rate * load.full_step / prompts, prompts / peak)
    variability = (workload.arrival_cv**2 + workload.length_cv**2 / prompts) / 2.0
    return queue(waits, load.rate, prompts / load.full_step, variability)


def _seat(replica: Replica, load: Load) -> Queue:
    """Return the queue for a seat.

    The rate with all seats taken says how many requests wait where a step takes as long with few as with many; where
    the seats empty faster the fewer are taken, the running requests say it, and it is fewer.
    """
    workload, seats, most = replica.workload, replica.served.seats, replica.most
    waits = min(
        waiting_share(load.rate / most, seats / load.peakedness),
        waiting_share(load.running / seats, seats / (load.peakedness * load.elasticity)),
    )
    return queue(waits, load.rate, most, (workload.arrival_cv**2 + workload.length_cv**2) / 2.0)


def _host(replica: Replica, load: Load) -> Moments:
    served = replica.served
    host = load.running * served.host_per_token
    utilization = min(load.rate * served.decode_steps * served.host_per_token, constants.HOST_UTILIZATION_CAP)
    wait = constants.HOST_QUEUE * host / (1.0 - utilization)
    return Moments(0.0, wait, wait * wait)


def _engine(replica: Replica, load: Load) -> Moments:
    served, wait = replica.served, load.wait
    spread = replica.workload.length_cv**2
    own = replica.own_prefill
    busy = 1.0 - exp(-load.running - load.rate * served.alone)
    step, share = wait.busy, wait.share
    more = _more_prompts(replica, load.rate * max(step, served.alone), share)
    waiting = max(0.0, busy * max(0.0, wait.total - served.alone) + wait.more * more)
    # What is left of a step that only decodes is anywhere between none and all of it.  Waits for prompts are as in a
    # queue with one server: exponential, but that they come in whole prompts.
    prompts = waiting * (1.0 - wait.steady / step)
    rest = waiting - prompts
    queued = min(1.0, wait.more / wait.alone)
    variance = (
        spread * own * own
        + rest * rest / 3.0
        + (1.0 + spread * queued) * prompts * (prompts * queued / (1.0 - share * share) + wait.alone * 2.0 / 3.0)
        + (wait.more * max(0.0, more)) ** 2
        + (constants.TTFT_JITTER * (served.alone + served.first_token_overhead)) ** 2
    )
    return Moments(served.alone - own + served.first_token_overhead, own + waiting, variance)


def _more_prompts(replica: Replica, arrivals: float, share: float) -> float:
    """Return how many more prompts a request waits for than Poisson arrivals of equal prompts make it.

    Those that came just before it in the same burst, longer as prefill takes more of the time (``share``, as Kingman's
    formula has it), and those just after, where they go into the same step; ``arrivals`` come in a step.
    """
    workload = replica.workload
    near = mates(workload, arrivals)
    together = 1.0 - 1.0 / replica.served.prompts_per_step
    queued = share / (1.0 - share)
    return near * (1.0 + together * (1.0 + queued)) + together * queued * workload.length_cv**2 / 2.0


def inter_token(replica: Replica, load: Load) -> Quantiles:
    """Return the inter-token latency, averaged over a request: that of its steps, over the tokens that a step yields."""
    steps = _between_steps(replica, load)
    yielded = replica.served.tokens_per_step
    return steps if yielded == 1.0 else steps.scaled(1.0 / yielded)


def _between_steps(replica: Replica, load: Load) -> Quantiles:
    """Return the time from step to step that a request sees, averaged over it.

    It follows the arrivals within the request's stay: what ``n`` grows faster than the rate, it grows too.  Short
    answers average over fewer steps.  More than with all seats taken it cannot be.
    """
    served, mean = replica.served, load.inter_token
    floor = min(mean, replica.lone_step)
    arrivals = load.peakedness / (1.0 + load.running) * (1.0 + replica.workload.length_cv**2)
    varied = mean * (load.elasticity - 1.0)
    jitter = constants.INTER_TOKEN_JITTER * mean
    above = Moments(floor, mean - floor, varied * varied * arrivals + jitter * jitter)
    free, median = above.quantiles(), _held(above, load).quantiles().p50
    most = max(mean, served.seats / (replica.most * served.decode_steps))
    if free.p99 <= most:
        return Quantiles(mean=mean, p50=median, p95=free.p95, p99=free.p99)
    full = Moments(floor, most - floor, (constants.INTER_TOKEN_JITTER * most) ** 2).quantiles()
    p99 = min(free.p99, full.p99)
    # Where half of the requests see no more than the median and none more than p99, the mean is at most halfway.
    return Quantiles(mean=mean, p50=max(median, 2.0 * mean - p99), p95=min(free.p95, full.p95), p99=p99)


def _held(above: Moments, load: Load) -> Moments:
    """Return what a median is read from: with no more variance than a queue near saturation has.

    ``elasticity`` says how the running requests follow small changes of the rate, and grows without bound.  In a queue with
    one server their variance over their mean squared goes to one as they become many: the tail is held elsewhere, but more
    would let the median fall to what a lone request sees.
    """
    return above._replace(variance=min(above.variance, above.mean**2 * (1.0 + load.peakedness / load.running)))
