"""What the performance model says about one replica, each question asked once."""

from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.engines import EngineDefaults
from costpolicy.perf.calibration import Calibration
from costpolicy.perf.ceiling import Ceiling
from costpolicy.perf.latency import Binding, Capacity, Latency, Saturated, Unpredictable
from costpolicy.perf.memory import MemoryFit, memory_fit
from costpolicy.perf.prediction import Prediction, prediction
from costpolicy.perf.service import Service
from costpolicy.perf.shape import EngineShape
from costpolicy.perf.uncertainty import Margins
from costpolicy.planning.basis import Basis, Known
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.request import Objectives

_CLOSE = 1.01
"""Capacity is found to a thousandth of the running requests: what lies this close is left to it."""


class Replica:
    """One replica of a configuration, whoever sells its accelerators.

    Objectives are divided by margins before capacity is asked for, so that a plan keeps its promise although the
    prediction may be off by that much: those of the accelerator's family (``perf.uncertainty``), or what the running
    deployment's own measurements make of them (``perf.calibration``).

    Everything is worked out when it is asked for: most replicas lose by their price alone.
    """

    __slots__ = (
        "_accelerator",
        "_basis",
        "_capacity",
        "_ceiling",
        "_configuration",
        "_known",
        "_memory",
        "_most",
        "_prediction",
        "_shape",
        "_unhurried",
    )

    def __init__(self, configuration: Configuration, accelerator: Accelerator, basis: Basis) -> None:
        self._configuration = configuration
        self._accelerator = accelerator
        self._basis = basis
        self._known: Known | None = None
        self._shape: EngineShape | None = None
        self._memory: MemoryFit | None = None
        self._prediction: Prediction | None = None
        self._capacity: Capacity | None = None
        self._unhurried: float | None = None
        self._most: tuple[float | None] | None = None
        self._ceiling: tuple[Ceiling | None] | None = None

    @property
    def known(self) -> Known:
        """What it shares with other replicas of its size on its accelerator."""
        if self._known is None:
            self._known = self._basis.known_of(self._configuration, self._accelerator)
        return self._known

    @property
    def defaults(self) -> EngineDefaults:
        """What the engine does there by itself."""
        return self.known.defaults

    @property
    def calibration(self) -> Calibration:
        """How far predictions for it are off, as far as that is known."""
        return self.known.calibration

    @property
    def margins(self) -> Margins:
        """What predictions are multiplied by before they are compared with a promise."""
        return self.known.margins

    @property
    def shape(self) -> EngineShape:
        """The configuration with the engine's defaults filled in."""
        if self._shape is None:
            self._shape = self._basis.shape_of(self._configuration, self._accelerator, self.known)
        return self._shape

    @property
    def prediction(self) -> Prediction:
        """What the model says of it, which others share that run alike for the same requests."""
        if self._prediction is None:
            self._prediction = prediction(self.shape, self._basis.workload)
        return self._prediction

    @property
    def memory(self) -> MemoryFit:
        """How the replica's memory is used."""
        if self._memory is None:
            self._memory = memory_fit(self.shape)
        return self._memory

    @property
    def capacity(self) -> Capacity:
        """The highest rate inside the objectives less their margins."""
        if self._capacity is None:
            self._capacity = self.prediction.capacity(self.most_ttft, self.most_inter_token, self._saturation)
        return self._capacity

    @property
    def capacity_without_inter_token(self) -> float:
        """The highest rate (requests a second) if no inter-token latency were promised."""
        found = self.capacity
        if found.binding is not Binding.INTER_TOKEN:
            return found.requests_per_second
        if self._unhurried is None:
            self._unhurried = self.prediction.capacity(self.most_ttft, None, self._saturation).requests_per_second
        return max(found.requests_per_second, self._unhurried)

    def capacity_within(self, objectives: Objectives) -> float:
        """Return the rate that other objectives than the policy's would allow, with the same margins."""
        ttft, inter_token = objectives.ttft_p95, objectives.inter_token_p95
        return self.prediction.capacity(
            None if ttft is None else ttft / self.margins.ttft,
            None if inter_token is None else inter_token / self.margins.inter_token,
            self._saturation,
        ).requests_per_second

    @property
    def _saturation(self) -> float:
        """The share of the predicted saturation that engines were seen to reach."""
        seen = self.calibration.saturation
        return 1.0 if seen is None else seen

    @property
    def ceiling(self) -> Ceiling | None:
        """What no setting of the engine could improve on; ``None`` where not even one request fits."""
        if self._ceiling is None:
            self._ceiling = (self._basis.ceiling_of(self.shape, self.known),)
        return self._ceiling[0]

    @property
    def most_requests_per_second(self) -> float | None:
        """A rate that no setting of the engine lets one replica exceed inside the objective of inter-token latency;
        ``None`` where not even one request fits.
        """
        if self._most is None:
            self._most = (None if self.ceiling is None else self.ceiling.within(self.most_inter_token),)
        return self._most[0]

    @property
    def served(self) -> Service | Unpredictable:
        """The replica and its requests reduced to step times and seats."""
        return self.prediction.served

    @property
    def most_ttft(self) -> float | None:
        """The p95 of TTFT in seconds that may be predicted, ``None`` if nothing is promised."""
        promised = self._basis.objectives.ttft_p95
        return None if promised is None else promised / self.margins.ttft

    @property
    def most_inter_token(self) -> float | None:
        """The p95 of inter-token latency in seconds that may be predicted, ``None`` if nothing is promised."""
        promised = self._basis.objectives.inter_token_p95
        return None if promised is None else promised / self.margins.inter_token

    def shortfall(self, requests_per_second: float) -> Binding | None:
        """Return what fails first at a rate, or ``None`` if latency keeps the objectives there.

        Half the price of ``capacity``, which may still be lower: it also keeps clear of the limits of memory and
        throughput.
        """
        found = self.predicted(requests_per_second)
        if not isinstance(found, Latency):
            return Binding.THROUGHPUT
        ttft, inter_token = self.most_ttft, self.most_inter_token
        if inter_token is not None and found.inter_token.p95 > inter_token * _CLOSE:
            return Binding.INTER_TOKEN
        return Binding.TTFT if ttft is not None and found.ttft.p95 > ttft * _CLOSE else None

    def at_rate(self, requests_per_second: float) -> Latency | Saturated | Unpredictable:
        """Return what the replica delivers at a rate; at a rate of zero, to one request at a time.

        The best estimate, corrected by what was measured of the deployment.
        """
        found = self.predicted(requests_per_second)
        if not isinstance(found, Latency):
            return found
        return found.corrected(self.calibration.ttft.factor, self.calibration.inter_token.factor)

    def predicted(self, requests_per_second: float) -> Latency | Saturated | Unpredictable:
        """Return what the model says by itself, to which the margins belong."""
        return self.prediction.at_rate(requests_per_second)
