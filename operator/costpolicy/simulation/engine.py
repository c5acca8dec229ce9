"""How a simulated engine behaves: a model of its own, deliberately unlike ``perf``'s.

A replica decodes all running requests together; one step costs a fixed time (reading the weights) and a
little for each running request; prefills take their share of the same time. Little's law closes the circle:
the number running is the rate times the time in the system. Where it exceeds what fits, a queue grows and is
worked off at capacity. Efficiencies are round numbers, not fitted ones.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import log
from statistics import NormalDist
from typing import Final, NamedTuple

from costpolicy.api.types import WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.planning.configuration import Configuration
from costpolicy.simulation.traffic import Traffic

_BYTES_PER_PARAMETER: Final = {
    WeightFormat.BF16: 2.0,
    WeightFormat.FP16: 2.0,
    WeightFormat.FP8: 1.0,
    WeightFormat.INT8: 1.0,
    WeightFormat.AWQ: 0.55,
    WeightFormat.GPTQ: 0.55,
    WeightFormat.NVFP4: 0.6,
}
_STEP_OVERHEAD: Final = 0.003
_TAIL: Final = 2.5
"""95th percentile over mean of a waiting time, between that of an even (1) and of an exponential one (3)."""
_MEAN: Final = 1.2
"""Mean over median of the same."""
_UTILISATION_LIMIT: Final = 0.95
_NORMAL: Final = NormalDist()
_Z95: Final = _NORMAL.inv_cdf(0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """Shares of an accelerator's peak that engines reach: of its memory bandwidth and of its 16-bit arithmetic."""

    bandwidth: float = 0.6
    arithmetic: float = 0.4


TYPICAL: Final = Efficiency()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a request shall keep, in seconds; ``None``: nothing is promised."""

    ttft: float | None = None
    inter_token: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One replica.

    Attributes:
        step: seconds of a decode step without requests.
        step_per_request: seconds that each running request adds.
        prefill_rate: prompt tokens per second.
        max_running: requests that fit at once.
        load_time: from the pod's start until it is ready.
    """

    step: float
    step_per_request: float
    prefill_rate: float
    max_running: int
    load_time: timedelta

    def capacity(self, traffic: Traffic) -> float:
        """Return the highest rate per second that is kept up with."""
        return self.asked(traffic).capacity

    def reading(self, traffic: Traffic, rate: float, backlog: float) -> "Reading":
        """Return what one replica shows at a rate per second with a queue of ``backlog`` requests."""
        return self.asked(traffic).reading(rate, backlog)

    def asked(self, traffic: Traffic) -> "Asked":
        """Return the replica as it serves requests of one shape."""
        prefill, output, running = self._prefill(traffic), traffic.output_tokens, self.max_running
        busy = prefill + output * (self.step + self.step_per_request * running) / running
        return Asked(profile=self, prefill=prefill, output_tokens=output, capacity=_UTILISATION_LIMIT / busy)

    def _prefill(self, traffic: Traffic) -> float:
        return max(traffic.prompt_tokens - traffic.cached_tokens, 1.0) / self.prefill_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One replica and the shape of its requests.

    Attributes:
        prefill: seconds of a prompt.
        capacity: the highest rate per second that is kept up with.
    """

    profile: Profile
    prefill: float
    output_tokens: float
    capacity: float

    def reading(self, rate: float, backlog: float) -> "Reading":
        """Return what is shown at a rate per second with a queue of ``backlog`` requests."""
        profile, prefill = self.profile, self.prefill
        served = min(rate, self.capacity)
        free = 1 - served * prefill
        alone = self.output_tokens * profile.step / free
        slope = served * self.output_tokens * profile.step_per_request / free
        running = min(served * (prefill / free + alone) / max(1 - slope, 0.01), float(profile.max_running))
        step = (profile.step + profile.step_per_request * running) / free
        wait = backlog / self.capacity
        return Reading(
            served=served,
            running=running,
            waiting=backlog,
            queued=wait,
            ttft_mean=wait + _MEAN * prefill / free + step,
            ttft_p50=wait + prefill / free + step,
            ttft_p95=wait + _TAIL * prefill / free + step,
            inter_token_mean=step,
            inter_token_p95=step * (1 + served * prefill),
            kv_cache_usage=running / profile.max_running,
        )


class Reading(NamedTuple):
    """What one replica shows: rates per second, times in seconds, requests, shares.

    ``queued`` is the wait behind requests that came earlier.
    """

    served: float
    running: float
    waiting: float
    queued: float
    ttft_mean: float
    ttft_p50: float
    ttft_p95: float
    inter_token_mean: float
    inter_token_p95: float
    kv_cache_usage: float

    def share_within(self, promise: Promise) -> float:
        """Return the share of requests that keep a promise, 0 to 1.

        The queue and one step are the same for all.  What a prefill waits for is log-normal through its median and
        95th percentile, the inter-token latency through its mean, taken as median, and its 95th percentile; a request
        that has luck with one of them has it with the other by chance.
        """
        alike = self.queued + self.inter_token_mean
        return _share_below(promise.ttft, alike, self.ttft_p50 - alike, self.ttft_p95 - alike) * _share_below(
            promise.inter_token, 0.0, self.inter_token_mean, self.inter_token_p95
        )

    def share_later_than(self, seconds: float) -> float:
        """Return the share of requests whose first token takes longer."""
        return 1.0 - self.share_within(Promise(ttft=seconds))


def _share_below(limit: float | None, alike: float, median: float, p95: float) -> float:
    """Return the share of ``alike`` plus a log-normal time that is at most ``limit``."""
    if limit is None:
        return 1.0
    if limit <= alike:
        return 0.0
    ratio = log((limit - alike) / median)
    spread = log(p95 / median) / _Z95
    if spread <= 0.0:
        return 1.0 if ratio >= 0.0 else 0.0
    return _NORMAL.cdf(ratio / spread)


def profile(
    model: ModelArchitecture,
    accelerator: Accelerator,
    configuration: Configuration,
    efficiency: Efficiency = TYPICAL,
) -> Profile:
    """Return how a model runs on accelerators."""
    size = configuration.accelerators_per_replica
    bandwidth = size * accelerator.memory_bandwidth * efficiency.bandwidth
    arithmetic = size * max(accelerator.flops["fp16"], accelerator.flops.get("bf16", 0.0)) * efficiency.arithmetic
    per_parameter = _BYTES_PER_PARAMETER[configuration.weights]
    per_request = 2 * 2 * model.layers * model.kv_heads * model.head_size * 1024.0
    spare = size * accelerator.memory_bytes * 0.85 - model.total_parameters * per_parameter
    fitting = max(int(spare / per_request), 1)
    return Profile(
        step=_STEP_OVERHEAD + model.active_parameters * per_parameter / bandwidth,
        step_per_request=per_request / bandwidth,
        prefill_rate=arithmetic / (2 * model.active_parameters),
        max_running=min(fitting, (configuration.max_num_seqs or 256) * configuration.data_parallel_size),
        load_time=timedelta(minutes=3, seconds=model.total_parameters * per_parameter / 1e9),
    )
