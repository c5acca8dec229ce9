"""What recording rules would keep of simulated policies for the ledger: each full hour, its costs and what it served."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from costpolicy.observe.ledger import Held, LedgerFigure
from costpolicy.observe.source import Sample
from costpolicy.simulation.scrape import Scrape
from costpolicy.units import MICROS_PER_UNIT

_HOUR: Final = timedelta(hours=1)
_KEPT: Final = timedelta(hours=21 * 24)
"""Longer than two windows of a week and the change between them."""
_LONGEST_STEP: Final = timedelta(minutes=30)
"""Where more time has passed no engine ran, and nothing was paid."""

_Policy = tuple[str, str]


@dataclass(slots=True)
class _Page:
    cost: dict[Held, float] = field(default_factory=dict)
    accelerators: dict[Held, float] = field(default_factory=dict)
    plain: dict[LedgerFigure, float] = field(default_factory=dict)


@dataclass(slots=True)
class LedgerHours:
    """The hours of all policies, oldest first: end, and a page for each policy."""

    _last: datetime | None = None
    _open: dict[_Policy, _Page] = field(default_factory=dict)
    _closed: deque[tuple[datetime, dict[_Policy, _Page]]] = field(default_factory=deque)

    def record(self, at: datetime, paid: Iterable[tuple[_Policy, Scrape]]) -> None:
        """Take in what ran since the time before."""
        if self._last is not None:
            passed = at - self._last
            if passed <= _LONGEST_STEP:
                for policy, one in paid:
                    _add(self._open.setdefault(policy, _Page()), one, passed / _HOUR)
            self._close(self._last, at)
        self._last = at

    def _close(self, since: datetime, at: datetime) -> None:
        end = since.replace(minute=0, second=0, microsecond=0) + _HOUR
        while end <= at:
            self._closed.append((end, self._open))
            self._open = {}
            end += _HOUR
        while self._closed and self._closed[0][0] < at - _KEPT:
            self._closed.popleft()

    def samples(self) -> Iterator[Sample]:
        """Yield what a server would answer."""
        for until, pages in self._closed:
            yield Sample(labels={}, value=1.0, timestamp=until)
            for (namespace, policy), page in pages.items():
                for labels, value in _figures(page):
                    named = {"namespace": namespace, "policy": policy, **labels}
                    yield Sample(labels=named, value=value, timestamp=until)


def _add(page: _Page, paid: Scrape, hours: float) -> None:
    served = paid.reading.served * paid.replicas * hours * _HOUR.total_seconds()
    page.cost[paid.held] = page.cost.get(paid.held, 0.0) + paid.cost_per_hour.micros / MICROS_PER_UNIT * hours
    page.accelerators[paid.held] = page.accelerators.get(paid.held, 0.0) + sum(paid.accelerators.values()) * hours
    grown: Mapping[LedgerFigure, float] = {
        LedgerFigure.REQUESTS: served,
        LedgerFigure.PROMPT_TOKENS: served * paid.traffic.prompt_tokens,
        LedgerFigure.CACHED_TOKENS: served * paid.traffic.cached_tokens,
        LedgerFigure.OUTPUT_TOKENS: served * paid.traffic.output_tokens,
    }
    for figure, value in grown.items():
        page.plain[figure] = page.plain.get(figure, 0.0) + value


def _figures(page: _Page) -> Iterator[tuple[dict[str, str], float]]:
    for figure, by_offering, more in (
        (LedgerFigure.COST, page.cost, {"currency": "USD"}),
        (LedgerFigure.ACCELERATORS, page.accelerators, {}),
    ):
        for (accelerator, capacity_type), value in by_offering.items():
            offering = {"accelerator": accelerator, "capacity_type": capacity_type}
            yield {"figure": figure, **offering, **more}, value
    for figure, value in page.plain.items():
        yield {"figure": figure}, value
