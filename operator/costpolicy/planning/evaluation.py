"""What the performance model says about an option, each question asked once per plan."""

from costpolicy.perf.bound import most_requests_per_second
from costpolicy.perf.calibration import Calibration
from costpolicy.perf.closed_loop import closed_loop
from costpolicy.perf.latency import Capacity, Latency, Saturated, Unpredictable
from costpolicy.perf.memory import MemoryFit, memory_fit
from costpolicy.perf.open_loop import capacity, open_loop
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.uncertainty import Margins
from costpolicy.planning.calibration import calibration_of
from costpolicy.planning.demand import Demand
from costpolicy.planning.options import Option
from costpolicy.planning.request import PlanRequest, objectives_of

_Key = tuple[object, ...]


def workload_of(demand: Demand) -> Workload:
    """Return the performance model's view of a demand."""
    return Workload(
        prompt_tokens=max(demand.prompt_tokens, 1.0),
        output_tokens=max(demand.output_tokens, 1.0),
        cached_tokens=min(demand.cached_tokens, max(demand.prompt_tokens - 1.0, 0.0)),
    )


class Evaluation:
    """Predictions for the options of one request, remembered by what the engine would run with.

    Objectives are divided by margins before capacity is asked for, so that a plan keeps its promise although the
    prediction may be off by that much: those of the accelerator's family (``perf.uncertainty``), or what the running
    deployment's own measurements make of them (``perf.calibration``).
    """

    def __init__(self, request: PlanRequest) -> None:
        self._request = request
        self.objectives = objectives_of(request.spec)
        self.workload = workload_of(request.demand)
        self._shapes: dict[_Key, EngineShape] = {}
        self._calibrations: dict[_Key, Calibration] = {}
        self._fits: dict[_Key, MemoryFit] = {}
        self._capacities: dict[_Key, Capacity] = {}
        self._bounds: dict[_Key, float | None] = {}

    def shape(self, option: Option) -> EngineShape:
        """Return the option with the engine's defaults filled in."""
        configuration, accelerator = option.configuration, option.accelerator
        key = configuration.engine_key
        if key not in self._shapes:
            defaults = self._request.engine.defaults(accelerator, configuration.tensor_parallel_size)
            self._shapes[key] = EngineShape(
                model=self._request.architecture,
                accelerator=accelerator,
                tensor_parallel_size=configuration.tensor_parallel_size,
                weights=configuration.weights,
                kv_cache_dtype=configuration.kv_cache_dtype,
                max_num_seqs=configuration.max_num_seqs or defaults.max_num_seqs,
                max_num_batched_tokens=configuration.max_num_batched_tokens or defaults.max_num_batched_tokens,
                max_model_len=configuration.max_model_len or self._request.architecture.context_length,
                gpu_memory_utilization=configuration.gpu_memory_utilization or defaults.gpu_memory_utilization,
                kv_cache_factor=self.calibration(option).kv_factor or 1.0,
            )
        return self._shapes[key]

    def calibration(self, option: Option) -> Calibration:
        """Return how far predictions for the option are off, as far as that is known."""
        key = option.configuration.engine_key
        if key not in self._calibrations:
            self._calibrations[key] = calibration_of(
                self._request.calibration, option.configuration, option.accelerator
            )
        return self._calibrations[key]

    def margins(self, option: Option) -> Margins:
        """Return what predictions for the option are multiplied by where the plan relies on them."""
        return self.calibration(option).margins

    def memory(self, option: Option) -> MemoryFit:
        """Return how the option's memory is used."""
        key = option.configuration.engine_key
        if key not in self._fits:
            self._fits[key] = memory_fit(self.shape(option))
        return self._fits[key]

    def capacity(self, option: Option) -> Capacity:
        """Return the highest rate of one replica inside the objectives less their margins."""
        key = option.configuration.engine_key
        if key not in self._capacities:
            margin = self.margins(option)
            ttft, inter_token = self.objectives.ttft_p95, self.objectives.inter_token_p95
            self._capacities[key] = capacity(
                self.shape(option),
                self.workload,
                ttft / margin.ttft if ttft is not None else None,
                inter_token / margin.inter_token if inter_token is not None else None,
            )
        return self._capacities[key]

    def most_requests_per_second(self, option: Option) -> float | None:
        """Return a rate that one replica cannot exceed; ``None`` where not even one request fits."""
        key = option.configuration.engine_key
        if key not in self._bounds:
            self._bounds[key] = most_requests_per_second(self.shape(option), self.workload)
        return self._bounds[key]

    def at_rate(self, option: Option, requests_per_second: float) -> Latency | Saturated | Unpredictable:
        """Return what one replica delivers at a rate; at a rate of zero, to one request at a time.

        The best estimate, corrected by what was measured of the deployment.
        """
        found = self._uncorrected(option, requests_per_second)
        if not isinstance(found, Latency):
            return found
        known = self.calibration(option)
        return found.corrected(known.ttft.factor, known.inter_token.factor)

    def _uncorrected(self, option: Option, requests_per_second: float) -> Latency | Saturated | Unpredictable:
        if requests_per_second <= 0:
            return closed_loop(self.shape(option), self.workload, 1)
        return open_loop(self.shape(option), self.workload, requests_per_second)
