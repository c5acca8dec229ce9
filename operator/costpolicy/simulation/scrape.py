"""What one scrape of simulated engines saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from costpolicy.observe.ledger import Held
from costpolicy.simulation.engine import Reading
from costpolicy.simulation.traffic import Traffic
from costpolicy.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """All ready replicas of one variant at one time; ``offered`` is the variant's whole rate per second."""

    at: datetime
    held: Held
    kernels: str
    offered: float
    traffic: Traffic
    reading: Reading
    replicas: int
    accelerators: Mapping[str, int]
    cost_per_hour: Money

    @property
    def shown(self) -> tuple[object, ...]:
        """Everything but the time."""
        return (
            self.offered,
            self.reading,
            self.replicas,
            self.traffic,
            self.kernels,
            self.held,
            self.accelerators,
            self.cost_per_hour,
        )
