"""What a load generator sends to measure a plan, and the program that it is run as."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from costpolicy.planning.demand import Demand

LoadGenerator = Literal["inference-perf", "guidellm"]

SHARES: Final = (0.3, 0.6, 0.9)
"""Of the capacity that is predicted for all replicas: nearly idle, usual, and close to what a plan would ask."""

STAGE: Final = timedelta(minutes=5)
PAUSE: Final = timedelta(seconds=30)
"""Between two stages, so that one does not inherit the other's queue."""
WORKERS: Final = 2
"""Processes that send; the container asks for a CPU for each."""
CONFIGURATION_PATH: Final = "/etc/calibration"
_WIDEST: Final = 1.5
"""Longest over mean token count, where the context allows."""
_SPREAD: Final = 0.6
"""Standard deviation over the distance from mean to longest: with ``_WIDEST`` the 0.3 that predictions assume."""
_MOST_IN_FLIGHT: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """A normal distribution of token counts, cut at both ends; all are tokens and all but ``deviation`` at least 1."""

    mean: int
    deviation: int
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLoad:
    """What to send.

    Attributes:
        requests: shape of a request; its rate is not used.
        capacity: predicted requests per second of all replicas inside the objectives, more than 0.
        answer_time: predicted seconds of a request at the planned load.
        context: longest sequence of the engine in tokens.
    """

    requests: Demand
    capacity: float
    answer_time: float
    context: int

    @property
    def rates(self) -> tuple[float, ...]:
        """Requests per second of each stage, to three digits."""
        return tuple(float(f"{share * self.capacity:.3g}") for share in SHARES)

    @property
    def in_flight(self) -> int:
        """Requests that may be unanswered at once: twice what the highest rate is predicted to keep."""
        return min(max(8, math.ceil(2 * self.rates[-1] * self.answer_time)), _MOST_IN_FLIGHT)

    @property
    def shared_tokens(self) -> int:
        """Tokens at the start of every prompt that are the same in all."""
        return round(self.requests.cached_tokens)

    @property
    def question(self) -> Lengths:
        """Tokens of a prompt after the shared ones."""
        return self._lengths(self.requests.prompt_tokens - self.requests.cached_tokens)

    @property
    def output(self) -> Lengths:
        """Tokens of an answer."""
        return self._lengths(self.requests.output_tokens)

    def _lengths(self, mean: float) -> Lengths:
        longest = self.context / (self.requests.prompt_tokens + self.requests.output_tokens)
        widest = max(1.0, min(_WIDEST, longest))
        return Lengths(
            mean=max(1, round(mean)),
            deviation=round(_SPREAD * (widest - 1.0) * mean),
            shortest=max(1, math.floor(mean * (2.0 - widest))),
            longest=max(1, math.floor(mean * widest)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTarget:
    """Where requests go: the Service's address, the name that it serves, and where its tokenizer is read from."""

    url: str
    model: str
    tokenizer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgram:
    """A load generator with its settings.

    Attributes:
        name: the load generator's.
        image: the published image of the release that the settings were run with.
        files: text by name, to be found in ``CONFIGURATION_PATH``.
        command: for a shell; it ends with another code than 0 if too few requests were answered.
        environment: variables that it needs.
    """

    name: LoadGenerator
    image: str
    files: Mapping[str, str]
    command: str
    environment: Mapping[str, str]


def failure_check(report: str, failed: str, answered: str) -> str:
    """Return the Python program that ends with code 1 if more than one request failed for each ten that were answered.

    Both load generators end with code 0 even if the server refused every request.

    Args:
        report: path of a JSON file, or an expression over ``sys.argv`` for it.
        failed: expression over ``report`` for the count of failed requests.
        answered: the same for answered ones.
    """
    return (
        "import json, sys\n"
        f"report = json.load(open({report}))\n"
        f"failed, answered = {failed}, {answered}\n"
        "if failed * 10 > answered or not answered:\n"
        '    sys.exit(f"too few requests were answered to say anything: {answered}; {failed} failed")\n'
    )
