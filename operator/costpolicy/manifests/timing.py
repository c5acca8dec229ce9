"""How long an engine may take to start and to stop.

A probe that gives up during a long load restarts the load, for ever; it is the most reported failure of
serving operators. Rates are therefore what a bad day delivers, not what a good one does.
"""

from datetime import timedelta
from typing import Final

from costpolicy.api.policy import ModelSource

_MIB: Final = 2**20
HUB_BYTES_PER_SECOND: Final = 50 * _MIB
"""Download from a public hub behind a shared NAT gateway."""
DISK_BYTES_PER_SECOND: Final = 150 * _MIB
"""Sequential read of a network disk at the smallest size that clouds provision."""
ENGINE_START: Final = timedelta(minutes=8)
"""Imports, torch.compile, profiling and CUDA graph capture of a cold cache."""
MINUTE: Final = timedelta(minutes=1)

PRE_STOP_SLEEP: Final = timedelta(seconds=15)
"""Load balancers keep sending for seconds after a pod began to terminate, while a draining vLLM answers new
requests with HTTP 500 although ``/health`` is 200 (observed with 0.32.0): it must not see SIGTERM before they
have stopped, and before clients have let go of the connections that they keep (:mod:`costpolicy.drain`)."""
IDLE_CONNECTION: Final = timedelta(seconds=20)
"""How long an engine keeps a connection without a request: longer than its clients (httpx and the OpenAI SDK 5 s, aiohttp
15 s), so that it is they who hang up.  vLLM's own 5 s race with the SDK's, and a request that meets the end is lost."""
EXIT_MARGIN: Final = timedelta(seconds=15)
"""For an engine that hears of its end when nobody is connected any more.  An answer that takes even longer ends with its
connection, which a client notices; vLLM's own timeout would end it as if it were whole."""
DEFAULT_GRACE: Final = timedelta(seconds=180)
"""Pre-stop sleep, then 150 s for running answers: 3,000 tokens at 50 ms each, then the margin."""


def startup_budget(weights_bytes: int, source: ModelSource) -> timedelta:
    """Return how long the engine container may need until it answers, rounded up to minutes.

    The time of an init container that copies weights is not part of it: probes begin when the engine's
    container does.
    """
    seconds = weights_bytes / DISK_BYTES_PER_SECOND
    if source.hugging_face is not None:
        seconds += weights_bytes / HUB_BYTES_PER_SECOND
    exact = ENGINE_START + timedelta(seconds=seconds)
    return -(-exact // MINUTE) * MINUTE


def drain_of(grace: timedelta) -> timedelta:
    """Return the part of a termination grace period that running requests may use to finish."""
    return max(grace - PRE_STOP_SLEEP - EXIT_MARGIN, timedelta(0))
