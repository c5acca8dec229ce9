"""What became of all questions so far."""

from collections import Counter
from dataclasses import dataclass, field

from callers.asking import Fault

_KEPT_FAULTS = 20
"""Faults that are told in words, of each way."""


@dataclass(slots=True)
class Tally:
    """Counts by the way of asking."""

    _counts: dict[str, Counter[str]] = field(default_factory=dict)
    _faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, way: str, fault: Fault | None) -> None:
        """Count one question."""
        outcome = "whole" if fault is None else "truncated" if fault.truncated else "failed"
        counted = self._counts.setdefault(way, Counter())
        counted[outcome] += 1
        counted["cut"] += fault is not None and fault.begun
        faults = self._faults.setdefault(way, [])
        if fault is not None and len(faults) < _KEPT_FAULTS:
            faults.append(fault.what)

    def counts(self) -> dict[str, dict[str, object]]:
        """Return for each way how many answers were whole, truncated and failed, and the first faults in words.

        Those that were `cut` are among the failed: a part of them had come.
        """
        return {
            way: {
                **{outcome: counted[outcome] for outcome in ("whole", "truncated", "failed", "cut")},
                "faults": self._faults[way],
            }
            for way, counted in self._counts.items()
        }
