"""What the engines' metrics say, as it is shown in status: renewed only when it really changed."""

from datetime import datetime

from costpolicy.api.measured import ObservedTraffic
from costpolicy.observe.observation import PolicyObservation
from costpolicy.observe.source import Missing
from costpolicy.reconcile.snapshot import MetricsDown

SAME = 0.1
"""Figures that moved less than this share are the same: live traffic flutters, and every write wakes every watcher."""


def observed_traffic(
    observed: PolicyObservation | MetricsDown, before: ObservedTraffic | None, now: datetime
) -> ObservedTraffic | None:
    """Return the figures to show: the former ones while they still hold, with the time when they were read."""
    if isinstance(observed, MetricsDown) or isinstance(observed.requests_per_second, Missing):
        return None
    fresh = ObservedTraffic(
        at=now,
        requests_per_second=_shown(observed.requests_per_second),
        prompt_tokens=_shown(observed.prompt_tokens),
        output_tokens=_shown(observed.output_tokens),
        prefix_hit_ratio=_shown(observed.prefix_hit_ratio),
        ttft_p95_seconds=_shown(observed.ttft_p95),
        inter_token_latency_p95_seconds=_shown(observed.inter_token_p95),
        running=_shown(observed.running),
        waiting=_shown(observed.waiting),
        kv_cache_usage=_shown(observed.kv_cache_usage),
    )
    return before if before is not None and _same(before, fresh) else fresh


def _shown(value: float | Missing) -> float | None:
    return None if isinstance(value, Missing) else float(f"{max(value, 0.0):.2g}")


def _same(before: ObservedTraffic, fresh: ObservedTraffic) -> bool:
    old, new = before.model_dump(exclude={"at"}), fresh.model_dump(exclude={"at"})
    return all(_close(old[name], new[name]) for name in new)


def _close(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return abs(old - new) <= SAME * max(abs(old), abs(new))
