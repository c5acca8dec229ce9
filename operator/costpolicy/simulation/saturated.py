"""What recording rules would keep of saturated engines: by policy and kernels, over all their minutes."""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
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
    """The minutes of one policy's engines with the same kernels: what a replica served in each of them, by size, and sums of
    what its traffic was like.
    """

    _served: list[float] = field(default_factory=list)
    _prompt_tokens: float = 0.0
    _output_tokens: float = 0.0
    _hit_ratios: float = 0.0

    def record(self, window: Sequence[Seen], lasted: timedelta) -> None:
        """Take in the scrapes of one window of rates, of which the last one is ``lasted`` younger than the one before."""
        first, last = window[0], window[-1]
        grows = last.reading.waiting * last.replicas > first.reading.waiting * first.replicas
        if grows and all(scrape.reading.waiting > 0 for scrape in window):
            for _ in range(lasted // _MINUTE):
                self._add(last.reading.served, last.traffic)

    def _add(self, served: float, traffic: Traffic) -> None:
        insort(self._served, served)
        self._prompt_tokens += traffic.prompt_tokens
        self._output_tokens += traffic.output_tokens
        self._hit_ratios += traffic.cached_tokens / traffic.prompt_tokens

    @property
    def version(self) -> int:
        """A value that is equal while the figures are."""
        return len(self._served)

    def figures(self) -> Iterator[tuple[SaturationFigure, float]]:
        """Yield what is asked of them; nothing where there are none."""
        count = len(self._served)
        if not count:
            return
        yield SaturationFigure.MINUTES, float(count)
        yield SaturationFigure.REQUESTS, (self._served[(count - 1) // 2] + self._served[count // 2]) / 2
        yield SaturationFigure.PROMPT_TOKENS, self._prompt_tokens / count
        yield SaturationFigure.OUTPUT_TOKENS, self._output_tokens / count
        yield SaturationFigure.PREFIX_HIT_RATIO, self._hit_ratios / count
