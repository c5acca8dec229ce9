"""Hand-made histories of engines for the contract tests, in the text that promtool backfills."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from costpolicy.observe.engine_metrics import EngineMetric

RECORDED = Path(__file__).parents[2] / "data" / "vllm"
STEP = 15
BEGIN = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
HOUR = 3600
READ = frozenset(metric.value for metric in EngineMetric)
END = BEGIN + HOUR

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Series:
    """One series to backfill: points are (Unix seconds, value)."""

    name: str
    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]

    def lines(self) -> Iterator[str]:
        inside = ",".join(f'{key}="{value}"' for key, value in self.labels.items())
        for when, value in self.points:
            yield f"{self.name}{{{inside}}} {value} {when}"


def ramp(begin: float, end: float, *, first: int = BEGIN, last: int = END, step: int = STEP) -> list[tuple[int, float]]:
    """Points on a straight line from ``begin`` to ``end``."""
    span = last - first
    return [(when, begin + (end - begin) * (when - first) / span) for when in range(first, last + 1, step)]


def exposition(file: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Name, labels and value of every sample of a recorded exposition."""
    for line in (RECORDED / file).read_text(encoding="utf-8").splitlines():
        match = _SAMPLE.match(line)
        if match is not None:
            yield match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])


@dataclass
class Tape:
    """Series of many independent scenarios, each in a namespace of its own."""

    series: list[Series] = field(default_factory=list)

    def add(self, name: str, labels: Mapping[str, str], points: Sequence[tuple[float, float]]) -> None:
        self.series.append(Series(name, labels, points))

    def engine(self, target: Mapping[str, str], file: str, *, last: int = END) -> None:
        """An engine whose counters grow from 0 to what was recorded within the hour, gauges constant.

        Only families that the operator reads: a whole page a pod would make the backfill slow.
        """
        gauges = {"vllm:cache_config_info", "vllm:num_requests_running", "vllm:num_requests_waiting"}
        for name, labels, value in exposition(file):
            if name in READ or re.sub(r"_(bucket|count|sum)$", "", name) in READ:
                points = ramp(value if name in gauges else 0.0, value)
                self.add(name, {**labels, **target}, [point for point in points if point[0] <= last])
        self.add("up", target, [(when, 1.0) for when, _ in ramp(1, 1) if when <= last])

    def text(self) -> str:
        return "\n".join([line for series in self.series for line in series.lines()] + ["# EOF", ""])
