"""From the files of the router's folder to what runs; whatever cannot be read is left out, said once and counted."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Final

from .pipeline import Pipeline
from .routes import FILE, Routing, parse_routes
from .sampling import Samples
from .score import Scorer
from .series import Series

LOG: Final = logging.getLogger("costpolicy.router")


class Failures:
    """Counts steps that failed, and says of each step once what went wrong: never with a word of a request."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._told: set[str] = set()

    def __call__(self, step: str, error: Exception) -> None:
        """Count one, and tell of the first."""
        with self._series.lock:
            self._series.errors.add(step)
            told, self._told = step in self._told, self._told | {step}
        if not told:
            place = next(iter(extract_tb(error.__traceback__)[-1:]), None)
            where = f" at {Path(place.filename).name}:{place.lineno}" if place else ""
            LOG.error("the step %r failed and is left out (%s%s)", step, type(error).__name__, where)


def load(folder: Path) -> Pipeline:
    """Read what lies in a folder.

    Raises:
        OSError, RoutesError: there is no ``routes.json`` that says what to do.
    """
    routing = read_routing(folder)
    series = Series()
    failures = Failures(series)
    names = dict.fromkeys(name for route in routing.routes.values() for name in route.scores)
    scorers = {name: found for name in names if (found := _scorer(folder / name, failures)) is not None}
    samples = Samples(now=_now, failed=lambda error: failures("write", error))
    return Pipeline(routing=routing, scorers=scorers, series=series, samples=samples, failed=failures)


def read_routing(folder: Path) -> Routing:
    """Read ``routes.json`` alone.

    Raises:
        OSError, RoutesError: as :func:`load`.
    """
    return parse_routes((folder / FILE).read_text(encoding="utf-8"))


def _scorer(file: Path, failed: Callable[[str, Exception], None]) -> Scorer | None:
    """Return a score; ``None``: it cannot be read, and whoever depends on it is answered by the trusted tier."""
    try:
        return Scorer.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        failed("coefficients", error)
        return None


def _now() -> datetime:
    return datetime.now(tz=UTC)
