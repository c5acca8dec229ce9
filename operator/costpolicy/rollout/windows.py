"""Cron schedules with time zones: maintenance windows and replica schedules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from costpolicy.api.operation import MaintenanceWindow, Schedule
from costpolicy.units import parse_duration

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many replicas are allowed now; 0 as ``maximum`` is a scheduled night."""

    minimum: int
    maximum: int


def replica_bounds(schedules: Sequence[Schedule], default: Bounds, now: datetime) -> Bounds:
    """Return the bounds of the schedule that started last, or the default when there are no schedules.

    Cron fields are five and are read in the schedule's time zone; of two that start together the later in the list wins.
    """
    latest: tuple[datetime, int] | None = None
    bounds = default
    for index, schedule in enumerate(schedules):
        started = last_start(schedule.schedule, schedule.time_zone, now)
        if started is not None and (latest is None or (started, index) > latest):
            latest = (started, index)
            minimum = default.minimum if schedule.min_replicas is None else schedule.min_replicas
            maximum = default.maximum if schedule.max_replicas is None else schedule.max_replicas
            bounds = Bounds(minimum=min(minimum, maximum), maximum=maximum)
    return bounds


def inside_window(windows: Sequence[MaintenanceWindow], now: datetime) -> bool:
    """Return whether configuration changes are allowed now: without windows always, else inside one of them."""
    if not windows:
        return True
    return any(_covers(window, now) for window in windows)


def next_opening(windows: Sequence[MaintenanceWindow], since: datetime) -> datetime | None:
    """Return the first time (UTC) from ``since`` on at which configuration changes are allowed; ``None``: never again."""
    if inside_window(windows, since):
        return since
    starts = (next_start(window.schedule, window.time_zone, since) for window in windows)
    return min((start for start in starts if start is not None), default=None)


def next_start(cron: str, time_zone: str, now: datetime) -> datetime | None:
    """Return the first time (UTC) after ``now`` that a cron expression names, or ``None`` if there is none."""
    found = next(CronSim(cron, now.astimezone(ZoneInfo(time_zone))), None)
    return found.astimezone(UTC) if found else None


def last_start(cron: str, time_zone: str, now: datetime) -> datetime | None:
    """Return the latest time (UTC) at or before ``now`` that a cron expression names, or ``None`` if there is none.

    In UTC, because times of two zones in an hour that comes twice never compare equal (PEP 495).
    """
    starts = _starts(cron, time_zone, now.astimezone(UTC).replace(minute=0, second=0, microsecond=0))
    if starts is not None:
        return next((start for start in starts if start <= now), None)
    just_after = now.astimezone(ZoneInfo(time_zone)) + timedelta(minutes=1)
    found = next(CronSim(cron, just_after, reverse=True), None)
    if found is not None and found > now:
        found = next(CronSim(cron, found, reverse=True), None)
    return found.astimezone(UTC) if found else None


@lru_cache(maxsize=4096)
def _starts(cron: str, time_zone: str, hour: datetime) -> tuple[datetime, ...] | None:
    """Return the starts within an hour, the latest first, and the last one before it: they are asked for at every look.

    ``None`` around a change of the clock, where hours come twice or never and a search depends on where it begins.
    """
    zone, found = ZoneInfo(time_zone), list[datetime]()
    if zone.utcoffset((hour - 2 * _HOUR).astimezone(zone)) != zone.utcoffset((hour + 2 * _HOUR).astimezone(zone)):
        return None
    for start in CronSim(cron, (hour + _HOUR).astimezone(zone), reverse=True):
        found.append(start.astimezone(UTC))
        if found[-1] <= hour:
            break
    return tuple(found)


def _covers(window: MaintenanceWindow, now: datetime) -> bool:
    started = last_start(window.schedule, window.time_zone, now)
    return started is not None and now < started + parse_duration(window.duration)
