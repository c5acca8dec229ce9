"""What recording rules would keep of saturated engines: by policy and kernels, over all their minutes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median
from typing import Protocol

from costpolicy.observe.saturation import SaturationFigure
from costpolicy.simulation.engine import Reading
from costpolicy.simulation.traffic import Traffic

_MINUTE = timedelta(minutes=1)


class Seen(Protocol):
    """One scrape of a variant, as far as it matters here."""

    @property
    def reading(self) -> Reading:
        """What a replica shows."""

    @property
    def traffic(self) -> Traffic:
        """What it is asked."""

    @property
    def replicas(self) -> int:
        """How many there are."""


@dataclass(slots=True)
class Saturated:
    """The minutes of one policy's engines with the same kernels; of each what a replica served, and of what traffic."""

    _minutes: list[tuple[float, Traffic]] = field(default_factory=list)

    def record(self, window: Sequence[Seen], lasted: timedelta) -> None:
        """Take in the scrapes of one window of rates, of which the last one is ``lasted`` younger than the one before."""
        first, last = window[0], window[-1]
        grows = last.reading.waiting * last.replicas > first.reading.waiting * first.replicas
        if grows and all(scrape.reading.waiting > 0 for scrape in window):
            self._minutes += [(last.reading.served, last.traffic)] * (lasted // _MINUTE)

    @property
    def version(self) -> int:
        """A value that is equal while the figures are."""
        return len(self._minutes)

    def figures(self) -> Iterator[tuple[SaturationFigure, float]]:
        """Yield what is asked of them; nothing where there are none."""
        if not self._minutes:
            return
        traffic = [each for _, each in self._minutes]
        count = len(traffic)
        yield SaturationFigure.MINUTES, float(count)
        yield SaturationFigure.REQUESTS, median(served for served, _ in self._minutes)
        yield SaturationFigure.PROMPT_TOKENS, sum(each.prompt_tokens for each in traffic) / count
        yield SaturationFigure.OUTPUT_TOKENS, sum(each.output_tokens for each in traffic) / count
        cached = sum(each.cached_tokens / each.prompt_tokens for each in traffic)
        yield SaturationFigure.PREFIX_HIT_RATIO, cached / count
