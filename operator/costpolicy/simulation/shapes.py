"""What recording rules would keep of the shapes of simulated requests: the means of each full hour, over days."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from costpolicy.observe.days import Stretch
from costpolicy.observe.shapes import ShapeFigure
from costpolicy.simulation.history import History
from costpolicy.simulation.traffic import Traffic

_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Shapes:
    """The hours of one policy; ``version`` stays equal while the quantiles do."""

    _requests: float = 0.0
    _tokens: dict[ShapeFigure, float] = field(default_factory=dict)
    _until: datetime | None = None
    _history: dict[ShapeFigure, History] = field(default_factory=dict)
    _told: tuple[tuple[ShapeFigure, Stretch, float], ...] = ()
    version: int = 0

    def record(self, at: datetime, served: float, traffic: Traffic, keep: timedelta) -> None:
        """Take in requests that were served, and at a full hour the means of the hour before."""
        self._until = self._until or at.replace(minute=0, second=0, microsecond=0) + _HOUR
        while self._until <= at:
            self._close(self._until, keep)
            self._until += _HOUR
        self._requests += served
        for figure, tokens in (
            (ShapeFigure.PROMPT_TOKENS, traffic.prompt_tokens),
            (ShapeFigure.COMPUTED_TOKENS, traffic.prompt_tokens - traffic.cached_tokens),
            (ShapeFigure.OUTPUT_TOKENS, traffic.output_tokens),
        ):
            self._tokens[figure] = self._tokens.get(figure, 0.0) + served * tokens

    def _close(self, end: datetime, keep: timedelta) -> None:
        if self._requests > 0:
            self.version += 1
            for figure, tokens in self._tokens.items():
                self._history.setdefault(figure, History()).record(end, tokens / self._requests, keep)
            self._told = tuple(
                (figure, stretch, value)
                for figure, history in self._history.items()
                for stretch, value in history.quantiles()
            )
        self._requests, self._tokens = 0.0, {}

    def quantiles(self) -> tuple[tuple[ShapeFigure, Stretch, float], ...]:
        """Return what is asked of each stretch that there is."""
        return self._told
