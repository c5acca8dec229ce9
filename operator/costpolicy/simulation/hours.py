"""What recording rules would keep of simulated engines: an hour of each variant, at multiples of the window's step."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from costpolicy.observe.queries import WINDOW_STEP
from costpolicy.observe.window import WindowFigure
from costpolicy.simulation.scrape import Scrape
from costpolicy.units import parse_duration

_HOUR: Final = timedelta(hours=1)
_STEP: Final = parse_duration(WINDOW_STEP)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE: Final = 0.8
"""Share of an hour that must have passed since its first scrape for it to count as one."""


@dataclass(slots=True)
class Hours:
    """The recorded hours of one variant, oldest first: time and figures."""

    kept: deque[tuple[datetime, dict[WindowFigure, float]]] = field(default_factory=deque)
    _recent: deque[Scrape] = field(default_factory=deque)

    def record(self, scraped: Scrape, keep: timedelta) -> None:
        """Take in a scrape; where a multiple of the step lies between it and the last one, an hour is kept."""
        recent = self._recent
        if recent and _steps(recent[-1].at) != _steps(scraped.at):
            self._close(_EPOCH + _STEP * _steps(scraped.at))
        recent.append(scraped)
        while recent[0].at < scraped.at - _HOUR:
            recent.popleft()
        while self.kept and self.kept[0][0] < scraped.at - keep:
            self.kept.popleft()

    def figures(self) -> Iterator[tuple[datetime, WindowFigure, float]]:
        """Yield each figure of each hour."""
        for at, figures in self.kept:
            for figure, value in figures.items():
                yield at, figure, value

    def _close(self, at: datetime) -> None:
        hour = [scraped for scraped in self._recent if scraped.at >= at - _HOUR]
        if not hour or hour[0].at > at - _WHOLE * _HOUR:
            return
        served = [scraped.reading.served * scraped.replicas for scraped in hour]
        requests = sum(served) / len(hour) * _HOUR.total_seconds()
        if requests <= 0:
            return
        ttft = sum(rate * scraped.reading.ttft_mean for rate, scraped in zip(served, hour, strict=True))
        inter_token = sum(rate * scraped.reading.inter_token_mean for rate, scraped in zip(served, hour, strict=True))
        traffic = hour[-1].traffic
        self.kept.append(
            (
                at,
                {
                    WindowFigure.REQUESTS: requests,
                    WindowFigure.ENGINES: sum(scraped.replicas for scraped in hour) / len(hour),
                    WindowFigure.PROMPT_TOKENS: traffic.prompt_tokens,
                    WindowFigure.OUTPUT_TOKENS: traffic.output_tokens,
                    WindowFigure.PREFIX_HIT_RATIO: traffic.cached_tokens / traffic.prompt_tokens,
                    WindowFigure.TTFT: ttft / sum(served),
                    WindowFigure.INTER_TOKEN: inter_token / sum(served),
                },
            )
        )


def _steps(at: datetime) -> int:
    return (at - _EPOCH) // _STEP
