"""How far predictions may be off before anything was measured on the deployment itself.

The error of a prediction is taken as log-normal: ``ln(observed / predicted)`` has a bias and a standard deviation
by GPU family.  A margin is what a prediction is multiplied by so that the truth stays below it in ``KEPT_SHARE``
of deployments.  A mean absolute error ``e`` of an unbiased prediction is a standard deviation of ``e * sqrt(pi / 2)``.
"""

from dataclasses import dataclass, replace
from math import exp, log
from types import MappingProxyType
from typing import Final

from costpolicy.catalog.accelerators import Accelerator

KEPT_SHARE: Final = 0.90
"""Share of deployments in which the truth stays below a prediction times its margin."""

QUANTILE: Final = 1.2816
"""Standard deviations from the mean to the ``KEPT_SHARE`` quantile of a normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogError:
    """Distribution of ``ln(observed / predicted)`` over deployments: its mean and standard deviation (at least 0)."""

    sigma: float
    bias: float = 0.0

    @property
    def margin(self) -> float:
        """Factor on a prediction below which the truth stays in ``KEPT_SHARE`` of deployments."""
        return exp(self.bias + QUANTILE * self.sigma)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Factors on predicted TTFT and inter-token latency, and what they rest on."""

    ttft: float
    inter_token: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """How wrong predictions of TTFT and inter-token latency are, and how that is known."""

    ttft: LogError
    inter_token: LogError
    source: str

    def margins(self) -> Margins:
        """Return the factors that this uncertainty asks for."""
        return Margins(ttft=self.ttft.margin, inter_token=self.inter_token.margin, source=self.source)


_MEASURED: Final = MappingProxyType(
    {
        "hopper": Uncertainty(
            ttft=LogError(sigma=0.109),
            inter_token=LogError(sigma=0.0455),
            source="70 unseen rows of H100 and H200: mean error 8.7 % and 3.6 %; objectives held in 90 % of decisions "
            "with factors of 1.15 and 1.06",
        ),
        "blackwell": Uncertainty(
            ttft=LogError(sigma=0.234),
            inter_token=LogError(sigma=0.0744),
            source="116 rows of B200, a family the fit never saw: TTFT 33 % and inter-token latency 7.8 % mean error, "
            "TTFT 20 to 30 % too low throughout",
        ),
    }
)

_DATASHEET: Final = Uncertainty(
    ttft=LogError(sigma=0.234),
    inter_token=LogError(sigma=0.0884),
    source="data sheet only, no measurement of this family: taken as the worst family measured, and 12 % on "
    "inter-token latency",
)

_PCIE_SIGMA: Final = log(1.15) / QUANTILE
"""Added for inter-token latency of tensor-parallel replicas over PCIe, whose all-reduce is known to a factor 2
only: a factor of 1.15 on the margin."""

_RANKS_TTFT_SIGMA: Final = log(1.4) / QUANTILE
"""Added for TTFT of data-parallel replicas, of which only kernels were measured: of the steps that prefill, the heaviest
share of the experts is up to 1.4 to 1.5 times the one taken in one case of ten (``constants.EXPERT_ARITHMETIC_SKEW``)."""

_RANKS_INTER_TOKEN_SIGMA: Final = log(1.25) / QUANTILE
"""The same for inter-token latency: of the steps that decode it is 1.2 to 1.3 times, and the ranks' agreement on each
step, some all-reduces of a few bytes, is in no term."""


def uncertainty(accelerator: Accelerator, tensor_parallel_size: int = 1, data_parallel_size: int = 1) -> Uncertainty:
    """Return how wrong predictions for an accelerator are, before any measurement of the deployment itself."""
    known = _MEASURED.get(accelerator.family, _DATASHEET)
    if tensor_parallel_size * data_parallel_size > 1 and accelerator.interconnect.kind == "pcie":
        known = _wider(known, 0.0, _PCIE_SIGMA, "all-reduce over PCIe known to a factor 2")
    if data_parallel_size > 1:
        reason = "data and expert parallelism known from kernels alone, no replica of that kind was measured"
        known = _wider(known, _RANKS_TTFT_SIGMA, _RANKS_INTER_TOKEN_SIGMA, reason)
    return known


def _wider(known: Uncertainty, ttft: float, inter_token: float, reason: str) -> Uncertainty:
    """Return an uncertainty with more standard deviation of both errors, and why."""
    return Uncertainty(
        ttft=replace(known.ttft, sigma=known.ttft.sigma + ttft),
        inter_token=replace(known.inter_token, sigma=known.inter_token.sigma + inter_token),
        source=f"{known.source}; {reason}",
    )
