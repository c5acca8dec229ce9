"""What the replicas of one request are predicted from: the demand, the promise, and what is known of an engine."""

from typing import NamedTuple

from costpolicy.api.types import KvCacheDtype
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.engines import EngineDefaults
from costpolicy.perf.calibration import Calibration
from costpolicy.perf.ceiling import Ceiling, ceiling, loosest
from costpolicy.perf.shape import EngineShape, Workload
from costpolicy.perf.speculation import Speculation
from costpolicy.perf.uncertainty import Margins
from costpolicy.planning.calibration import Kinship, calibration_of
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand
from costpolicy.planning.request import PlanRequest, objectives_of
from costpolicy.planning.speculation import speculation_of

MOST_MEMORY = 0.95
"""The highest ``gpu_memory_utilization`` that is tried; see ``planning.tuning``."""

_Key = tuple[object, ...]


def workload_of(demand: Demand) -> Workload:
    """Return the performance model's view of a demand."""
    return Workload(
        prompt_tokens=max(demand.prompt_tokens, 1.0),
        output_tokens=max(demand.output_tokens, 1.0),
        cached_tokens=min(demand.cached_tokens, max(demand.prompt_tokens - 1.0, 0.0)),
    )


class Known(NamedTuple):
    """What replicas split alike on one accelerator share, if they are as near to what runs."""

    defaults: EngineDefaults
    calibration: Calibration
    margins: Margins
    ceilings: dict[_Key, Ceiling | None]


class Basis:
    """What the replicas of one request are predicted from."""

    __slots__ = ("_known", "_request", "objectives", "workload")

    def __init__(self, request: PlanRequest) -> None:
        self._request = request
        self.objectives = objectives_of(request.spec)
        self.workload = workload_of(request.demand)
        self._known: dict[tuple[str, int, int, Kinship | None], Known] = {}

    def shape_of(self, configuration: Configuration, accelerator: Accelerator, known: Known) -> EngineShape:
        """Return a configuration as the engine would run it, with what it does by itself filled in."""
        model, defaults = self._request.architecture, known.defaults
        return EngineShape(
            model=model,
            accelerator=accelerator,
            tensor_parallel_size=configuration.tensor_parallel_size,
            data_parallel_size=configuration.data_parallel_size,
            weights=configuration.weights,
            kv_cache_dtype=KvCacheDtype(configuration.kv_cache_dtype),
            max_num_seqs=configuration.max_num_seqs or defaults.max_num_seqs,
            max_num_batched_tokens=configuration.max_num_batched_tokens or defaults.max_num_batched_tokens,
            max_model_len=configuration.max_model_len or model.context_length,
            gpu_memory_utilization=configuration.gpu_memory_utilization or defaults.gpu_memory_utilization,
            api_servers=configuration.api_servers or defaults.api_servers,
            stream_interval=configuration.stream_interval or 1,
            kv_cache_factor=known.calibration.kv_factor or 1.0,
            speculation=self._speculation(configuration),
            step_factor=self._request.step_factor,
        )

    def _speculation(self, configuration: Configuration) -> Speculation | None:
        """Return what is predicted of a configuration's proposals; of what cannot be predicted, nothing."""
        if configuration.proposer is None:
            return None
        found = speculation_of(configuration.proposer, self._request)
        return found if isinstance(found, Speculation) else None

    def ceiling_of(self, shape: EngineShape, known: Known) -> Ceiling | None:
        """Return the ceiling of a shape, which most settings of the engine share."""
        loose = loosest(shape, MOST_MEMORY)
        key = (shape.weights, shape.kv_cache_dtype, shape.max_model_len, shape.speculation, *loose)
        if key not in known.ceilings:
            known.ceilings[key] = ceiling(shape, self.workload, MOST_MEMORY)
        return known.ceilings[key]

    def known_of(self, configuration: Configuration, accelerator: Accelerator) -> Known:
        """Return what replicas split alike on one accelerator share, as far as they are as near to what runs."""
        tensor, data = configuration.tensor_parallel_size, configuration.data_parallel_size
        book = self._request.calibration
        key = accelerator.name, tensor, data, None if book is None else book.kinship(configuration)
        if key not in self._known:
            calibration = calibration_of(book, configuration, accelerator)
            defaults = self._request.engine.defaults(accelerator, tensor, data)
            self._known[key] = Known(defaults, calibration, calibration.margins, {})
        return self._known[key]
