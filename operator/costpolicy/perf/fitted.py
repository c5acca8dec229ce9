"""The constants that measurements decide.  ``make fit`` writes their values, and nothing else of this file.

The fit (``tests/accuracy``) is on 119 published closed-loop measurements of vLLM 0.11 to 0.19: Llama-3.1-70B FP8
and Qwen3-32B BF16 on H100 and H200, tensor parallel 1 to 8 (``tests/data/measurements``).  How much each is worth
and how far it moves when rows are left out: docs/reference/accuracy.md.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """One set of fitted constants; functions take another one to be refitted or cross-validated."""

    compute_efficiency: float
    """Share of dense peak FLOP/s that linear layers reach on Hopper; equal for BF16 and FP8 within 3 %. Other
    accelerators scale it by ``Accelerator.measured_shares``."""

    memory_efficiency: float
    """Share of peak bandwidth that weight and KV-cache reads reach."""

    layer_overhead: float
    """Seconds a layer adds to every step (kernels' fixed times, norms, element-wise work), not divided by tensor
    parallelism: of it four matrix products take 16 (BF16) to 24 us (FP8) and attention 11 to 16 us, alike on A100,
    H100, H200 and B200 (aiconfigurator-core 0.12.0, tables gemm and generation_attention)."""

    sequence_overhead: float
    """Seconds a sequence in the batch adds per layer and step."""

    request_overhead: float
    """Seconds a layer adds to the first token of a request, outside the steps (front end, scheduling, first launch)."""


# Written by `make fit`.
FITTED: Final = Fitted(
    compute_efficiency=0.551,
    memory_efficiency=0.956,
    layer_overhead=6.22e-05,
    sequence_overhead=6.59e-07,
    request_overhead=0.000317,
)
