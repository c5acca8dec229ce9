"""How a replica's accelerators may be split: into tensor parallelism, and for mixtures of experts into data-parallel ranks.

Ranks of a dense model are replicas that scale, fail and are placed together, so they are no option of their own.  Those of
a mixture share out the experts and hold each key and value once, where tensor parallelism copies them.
"""

from typing import Final, NamedTuple

from costpolicy.api.types import WeightFormat
from costpolicy.planning.request import PlanRequest
from costpolicy.planning.speculation import ordered


class Parallelism(NamedTuple):
    """``data`` ranks of ``tensor`` accelerators each, all on one node."""

    tensor: int
    data: int = 1


ONE_RANK: Final = tuple(Parallelism(size) for size in (1, 2, 4, 8))
RANKS: Final = (Parallelism(1, 2), Parallelism(1, 4), Parallelism(2, 2), Parallelism(1, 8), Parallelism(2, 4))

_SHARED_OUT: Final = frozenset({WeightFormat.BF16, WeightFormat.FP16, WeightFormat.FP8})
"""Formats whose kernels were read to take some of the experts and the tokens of all ranks (vLLM 0.32: Triton, CUTLASS,
DeepGEMM, Marlin)."""


def splits(request: PlanRequest, weights: WeightFormat) -> tuple[Parallelism, ...]:
    """Return the splits that may be tried with weights of a format, one rank first."""
    model = request.architecture
    if not model.experts or not request.engine.shares_out_experts or ordered(request) is not None:
        return ONE_RANK
    if weights not in _SHARED_OUT or model.expert_bits is not None:
        return ONE_RANK
    return (*ONE_RANK, *(one for one in RANKS if model.experts % (one.tensor * one.data) == 0))
