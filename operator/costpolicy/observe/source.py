"""The seam between the operator and whatever answers PromQL: results, absence and failure, each with its own
type.

Three things can happen to a question, and they are never mixed up:

* it is answered: a tuple of :class:`Sample`;
* it is answered, and the answer is that there is nothing: :class:`Missing`, a value that carries its reason;
* it could not be asked: :class:`MetricsUnavailable`, an exception.  One failed question leaves a whole cycle
  undecided, because half an answer looks like falling load.

Tree of failures (``MetricsUnavailable.reason``)::

    PrometheusUnreachable   no connection: name, port, network policy, TLS
    PrometheusRefused       it answered, and refused: 401, 403, 422 (expression), 429, 5xx
    PrometheusTimeout       no answer within the time allowed
    BadResponse             an answer that is not a Prometheus vector: a login page, duplicate series, another
    type
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason

__all__ = ["MetricsSource", "MetricsUnavailable", "Missing", "Sample"]


class Sample(NamedTuple):
    """A finite value at a time (UTC): one of an instant vector, or one of several of a series.  NaN and infinities
    never get this far."""

    labels: Mapping[str, str]
    value: float
    timestamp: datetime


class MetricsUnavailable(Exception):  # noqa: N818 - a state of the world, as in ``Missing``
    """A question could not be asked or its answer not be understood.

    Attributes:
        reason: which kind of failure; see the tree in the module's docstring.
        message: what happened and what to do, for a condition's message.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class MetricsSource(Protocol):
    """Something that answers PromQL instant queries."""

    def query(self, promql: str, at: datetime) -> tuple[Sample, ...]:
        """Evaluate an expression at one time.

        An instant vector, or the series of a subquery, one sample for each of its times.
        An empty tuple means that nothing matched, or that every value was NaN or infinite.

        Raises:
            MetricsUnavailable: the question could not be asked or its answer not be understood.
        """

    def retention(self) -> timedelta | None:
        """Return how long samples are kept; None if the source does not say (Thanos, Mimir and others).

        Raises:
            MetricsUnavailable: as for :meth:`query`.
        """
