"""Every constant of the performance model that no fit decides: unit, source, and what it buys.

None is keyed by model, row or benchmark; those that measurements decide are in ``perf.fitted``.  "Kernel tables"
are those of aiconfigurator-core 0.12.0: single kernels of vLLM, timed alone.
"""

from types import MappingProxyType
from typing import Final

from costpolicy.units import GIB

# Set by hand on our own measurements of vLLM 0.25.1, Llama-3.1-8B on one H100

HOST_SECONDS_PER_TOKEN: Final = 85e-6
"""API-server seconds per streamed chunk: one process streams 11,000 to 12,000 chunks a second. Inter-token
latency over running requests at saturation was 82, 84, 90 and 91 us."""

HOST_QUEUE: Final = 2.2
"""Weight of the API server's queue in TTFT: ``HOST_QUEUE * h / (1 - utilization)``. The seven own lines of 256 and 512
clients, of which two alike measured 327 and 749 ms, have no bias with it. Under random arrivals TTFT of four Poisson
runs lies beyond the simulated scheduler's by a median of 12, 16, 48 and 142 ms."""

HOST_UTILIZATION_CAP: Final = 0.93
"""Highest API-server utilization that the queue term is evaluated at (a closed loop cannot exceed 1)."""

HOST_SHARPNESS: Final = 8.0
"""Order of the p-norm that joins accelerator and host inter-token latency: the slower wins almost sharply."""

# Fixed, not fitted

ATTENTION_EFFICIENCY: Final = 0.5
"""Share of peak 16-bit FLOP/s that prefill attention reaches where nobody measured it (``Accelerator.measured_shares``
has 0.44 to 0.58)."""

REFERENCE_SHARES: Final = MappingProxyType({"bf16": 0.79, "fp16": 0.79, "fp8": 0.50, "int8": 0.50, "fp4": 0.50})
"""Share of the dense peak of matrix products on the H100, where the fit was made. An accelerator whose kernels reach
less is slower by as much; one whose kernels reach more is not credited with it. For fp4, which Hopper lacks, fp8's."""

FP8_CACHE_SECONDS_PER_ELEMENT: Final = 0.344e-12
"""Arithmetic of FlashAttention 3 (compute capability 9.x) for each element of an FP8 KV cache that a decoded token
attends to, whatever the bandwidth: 88 ps a token and KV head of 128 (kernel tables, 32 sequences of 8,192 tokens: 187
us on the H200, 205 us on the H100; on B200 and Ada half of BF16's time, as bandwidth says). A shared prefix costs it
too. Own FP8 lines at 16 and 64 clients: inter-token latency from 14 % too low to 3 %."""

ALLREDUCE_EFFICIENCY: Final = 0.7
"""Share of an NVLink's bandwidth per direction that an all-reduce reaches (vLLM 0.24 custom all-reduce on
H100, 64 Mi elements: .64, .72, .90 at 2, 4, 8 GPUs; aiconfigurator-core 0.12.0, ``comm`` data)."""

ALLREDUCE_SECONDS: Final = 5e-6
"""Latency of one all-reduce over NVLink: 4.5 to 5.3 us at 2 to 8 H100 or H200, 5.3 to 6.5 us on the A100, 7.1 to 8.1 us
on the B200 (kernel tables, in a CUDA graph; there attention's fixed time is less by as much). Infinity Fabric is taken
as NVLink, measured nowhere."""

PCIE_ALLREDUCE_EFFICIENCY: Final = 1.2
"""Divided by the number of GPUs: share of a PCIe link's bandwidth that an all-reduce reaches. Measured at 2,
4, 8 GPUs: .60, .12, .06 (L40S, vLLM 0.22) and .58, .45, .37 (RTX PRO 6000, vLLM 0.24; aiconfigurator-core
0.12.0, ``comm`` data); this is about their geometric mean, so tensor parallel 4 and 8 over PCIe are known to
a factor 2."""

PCIE_ALLREDUCE_SECONDS: Final = 3.3e-6
"""Times the number of GPUs: latency of one all-reduce over PCIe (5, 13, 26 us measured; same source)."""

UNEXPLAINED_FIRST_TOKEN: Final = MappingProxyType({"blackwell": 0.2})
"""By family: share by which the TTFT of a lone request is longer than its kernels and the host of the fit explain. On 116
rows of a B200, which are not part of this project, the model was 20 to 30 % too low throughout before the kernels'
shares were known; those explain 5 to 20 of it, and this stands for the rest: host, launches, clock. Nothing was fitted
to those rows, and the margin of the family stays wide (``perf.uncertainty``)."""

EXCHANGE_SECONDS: Final = 7e-6
"""Latency of gathering and scattering tokens of data-parallel ranks once (NCCL's all-gather and reduce-scatter), less
that by ``EXCHANGE_SECONDS_PER_ACCELERATOR``: 11, 15 and 20 to 25 us at 2, 4 and 8 H100 or H200, 11, 17 and 27 us on the
L40S; 17, 22 and 32 us on the B200 (kernel tables, NCCL 2.29 and 2.27 of the L40S)."""

EXCHANGE_SECONDS_PER_ACCELERATOR: Final = 2.4e-6
"""What each accelerator of the replica adds to ``EXCHANGE_SECONDS``."""

EXCHANGE_EFFICIENCY: Final = 0.7
"""Share of an NVLink's bandwidth per direction at which all tokens pass twice, gathered and scattered.  An accelerator
needs no more than the others' tokens, but with few of them NCCL reaches less: 32 MiB take 171, 191 and 209 us beyond the
latency at 2, 4 and 8 H200 (kernel tables), which is .87, .78 and .71; with 2 to 8 MiB it is a tenth less, with 256 MiB a
fifth more.  Over PCIe it is an all-reduce's (L40S with 256 MiB: .60, .15, .05)."""

EXPERT_ARITHMETIC_SKEW: Final = 0.36
"""The accelerator with the most tokens for its experts computes ``accelerators ** this`` times the mean.  vLLM 0.24's
kernels for experts on H100 and H200, tokens by a power law of 1.2 over the experts (the more uneven of two that
aiconfigurator takes for real traffic) and the heaviest of 2, 4 or 8 ranks, against one accelerator with all experts:
2,048 to 8,192 tokens take 1.2, 1.5 and 2.2 times their share (medians of 52 cases each; nine in ten below 1.4, 2.0 and
3.3).  vLLM can rebalance (``--enable-eplb``), which is not counted on."""

EXPERT_READ_SKEW: Final = 0.18
"""The same of reading them: 32 to 512 tokens take 1.06, 1.15 and 1.26 times their share, 1 to 16 tokens 1.15, 1.3 and
1.6 times (nine in ten below 1.3, 1.5 and 2.1)."""

PREFILL_SHARE_CAP: Final = 0.97
"""Highest share of a step that prefills may take in the steady-state formulas; beyond it they diverge."""

SPECULATION_HOST_SECONDS: Final = 1.2e-3
"""What the host adds to each step that verifies proposals: scheduling that does not overlap with the accelerator, and the
look-up of n-grams. Overhead of a step of vLLM 0.10.1 on one H100, with and without proposals (simulator of arXiv 2601.11580).
vLLM overlaps them with some methods and from some release on; that is not counted on."""

# Memory: fitted on the start-up facts of vLLM 0.25.1 (H100 and H200; Llama-3.1-8B BF16 and FP8, Qwen3-32B
# BF16) --

RESERVED_BYTES: Final = round(1.03 * GIB)
"""Per accelerator: CUDA context, allocator slack, and what the driver reports but the runtime cannot have."""

COMMUNICATION_BYTES: Final = round(0.39 * GIB)
"""Per accelerator with tensor parallelism: NCCL buffers (342 to 392 MiB at 2 to 8 GPUs; aiconfigurator-core
0.12.0, system files)."""

ACTIVATION_HIDDEN_COPIES: Final = 2
"""Copies of the residual stream alive at the activation peak, beside the gated MLP's input pair and
output."""

GRAPH_BYTES_PER_LAYER: Final = round(0.31 * 2**20)
"""CUDA-graph memory per layer and captured graph: 0.98 GiB for 32 layers, 1.87 GiB for 64, both 102 graphs
(51 sizes, piecewise and full). vLLM 0.25.1 takes it beyond ``gpu_memory_utilization``: KV tokens were equal
with 0.16 and 0.98 GiB of graphs."""

# Quantiles: rules on the mean, from 17 of our own measurements

TTFT_P50_WAIT: Final = 0.85
"""Median over mean of the part of TTFT that a lone request does not have: between an exponential wait (ln 2), as queues
cause it, and a uniform one (1), as the step under way does."""

TTFT_P50_HOST: Final = 0.94
"""Median over mean of the API server's part of TTFT (from p50, p90, p95 and p99 of host-saturated runs)."""

TTFT_P95_WAIT: Final = 2.0
"""p95 over mean of TTFT below saturation, closed loop (p95 over p50: median 2.2, 1.5 to 3.2)."""

TTFT_P95_HOST: Final = 1.5
"""p95 over mean of the API server's part of TTFT (host-saturated runs: 1.35 to 1.65)."""

TTFT_P95_QUEUE: Final = 1.1
"""p95 over mean of the wait for a seat in a closed loop (1.04 measured; every slot frees in turn)."""

TTFT_P99: Final = 1.2
"""p99 over p95 of TTFT, closed loop (median of 14 runs of up to 64 clients 1.2, of 8 with more 1.07)."""

INTER_TOKEN_P95: Final = 1.09
"""p95 over mean of inter-token latency (1.02 to 1.19)."""

INTER_TOKEN_P99: Final = 1.13
"""p99 over mean of inter-token latency (1.03 to 1.23)."""

# Open loop: approximations stated in open_loop.py

TTFT_JITTER: Final = 0.12
"""Standard deviation over mean of TTFT on an idle engine beyond what prompt lengths explain (8 clients, H200: p95 over
median 1.25 measured, 1.11 simulated)."""

INTER_TOKEN_JITTER: Final = 0.03
"""Standard deviation over mean of inter-token latency beyond what the scheduler explains (closed loops of 8 to 64
clients: p95 over median 1.02 to 1.10 measured, 1.00 to 1.03 simulated)."""

OPEN_HOST_SHARPNESS: Final = 4.0
"""Order of the p-norm that joins accelerator and host under random arrivals: bursts reach the API server's
limit before the mean does. Set by hand on four Poisson runs: inter-token latency over the accelerator's is
1.05 to 1.15 at half, 1.15 to 1.6 at three quarters of that limit."""

FLUCTUATION_P95: Final = 1.645
"""Standard deviations from mean to p95 of a normal distribution (running requests around their mean)."""

MAX_THROUGHPUT_SHARE: Final = 0.9
"""No replica is planned beyond this share of the rate at which its queue grows without end."""

KV_HEADROOM: Final = 0.8
"""Share of the KV cache that p95 of the running requests may need. Near the limit the study's TTFT was wrong
by up to 30 times, so a plan stays clear of it."""
