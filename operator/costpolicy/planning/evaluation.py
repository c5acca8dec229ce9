"""The replicas of one request: each is asked of the performance model once per plan."""

from costpolicy.catalog.accelerators import Accelerator
from costpolicy.perf.shape import Workload
from costpolicy.planning.basis import Basis
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.replica import Replica
from costpolicy.planning.request import Objectives, PlanRequest


class Evaluation:
    """The replicas of one request, remembered by what the engine would run with."""

    def __init__(self, request: PlanRequest) -> None:
        self._basis = Basis(request)
        self._replicas: dict[tuple[object, ...], Replica] = {}

    @property
    def objectives(self) -> Objectives:
        """The promise in seconds."""
        return self._basis.objectives

    @property
    def workload(self) -> Workload:
        """The performance model's view of the demand."""
        return self._basis.workload

    def replica(self, configuration: Configuration, accelerator: Accelerator) -> Replica:
        """Return the one replica that answers for a configuration."""
        key = configuration.engine_key
        found = self._replicas.get(key)
        if found is None:
            found = self._replicas[key] = Replica(configuration, accelerator, self._basis)
        return found
