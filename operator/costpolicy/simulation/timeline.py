"""A policy's time in pieces of equal length: what was asked, answered in time and paid in each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from costpolicy.simulation.deployed import Result
from costpolicy.simulation.serving import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some time: its beginning, requests, those inside the objectives, the bill, and how many replicas were asked for."""

    at: datetime
    length: timedelta
    result: Result
    fewest: int
    most: int

    @property
    def requests_per_second(self) -> float:
        """Mean rate."""
        return self.result.requests / self.length.total_seconds()


def pieces(intervals: Iterable[Interval], begin: datetime, length: timedelta) -> Iterator[Piece]:
    """Yield the pieces in order; the last one may be shorter than it says."""
    for number, group in groupby(intervals, key=lambda each: (each.at - begin) // length):
        members = list(group)
        result = Result()
        for each in members:
            result.take(each)
        replicas = [each.replicas for each in members]
        yield Piece(at=begin + number * length, length=length, result=result, fewest=min(replicas), most=max(replicas))
