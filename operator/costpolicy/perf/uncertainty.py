"""How far predictions may be off before anything was measured on the deployment itself.

A margin is what a prediction is multiplied by so that the truth stays below it in most cases.  The figures
are mean absolute errors and biases of this model on measurements it was not fitted on, by GPU family.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from costpolicy.catalog.accelerators import Accelerator


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Factors (at least 1) on predicted TTFT and inter-token latency, and what they rest on."""

    ttft: float
    inter_token: float
    source: str


_MEASURED: Final = MappingProxyType(
    {
        "hopper": Margins(
            ttft=1.15,
            inter_token=1.06,
            source="70 unseen rows of H100 and H200: mean error 8.7 % and 3.6 %; objectives held in 90 % of decisions "
            "with these factors",
        ),
        "blackwell": Margins(
            ttft=1.35,
            inter_token=1.10,
            source="116 rows of B200, a family the fit never saw: TTFT 33 % and inter-token latency 7.8 % mean error, "
            "TTFT 20 to 30 % too low throughout",
        ),
    }
)

_DATASHEET: Final = Margins(
    ttft=1.35,
    inter_token=1.12,
    source="data sheet only, no measurement of this family: taken as the worst family measured, and 12 % on "
    "inter-token latency",
)

_PCIE_FACTOR: Final = 1.15
"""On inter-token latency of tensor-parallel replicas over PCIe, whose all-reduce is known to a factor 2
only."""


def margins(accelerator: Accelerator, tensor_parallel_size: int = 1) -> Margins:
    """Return the margins for an accelerator, before any measurement of the deployment itself."""
    known = _MEASURED.get(accelerator.family, _DATASHEET)
    if tensor_parallel_size == 1 or accelerator.interconnect.kind != "pcie":
        return known
    return Margins(
        ttft=known.ttft,
        inter_token=known.inter_token * _PCIE_FACTOR,
        source=f"{known.source}; all-reduce over PCIe known to a factor 2",
    )
