"""What a PromQL expression is restricted to and by which labels its answer is split."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from costpolicy.units import format_duration

_MATCHER: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\.)*")\s*(,|$)')
_RESERVED: Final = frozenset({"policy", "costpolicy", "variant", "le", "__name__"})


def parse_matchers(text: str) -> str:
    """Return PromQL label matchers in canonical form (``cluster="prod-eu",tenant=~"a|b"``), or an empty
    string.

    Raises:
        ValueError: the text is not a comma-separated list of label matchers, or it names a label that the
        queries
            set themselves.  Such text would otherwise end inside every selector.
    """
    matchers = []
    position = 0
    while text[position:].strip():
        match = _MATCHER.match(text, position)
        if match is None:
            raise ValueError(
                f"{text!r} is not a list of label matchers: write them as in a PromQL selector, "
                f'such as cluster="prod-eu",tenant=~"a|b" (stopped at {text[position:]!r})'
            )
        label, operator, value, _ = match.groups()
        if label in _RESERVED:
            raise ValueError(f"{text!r} restricts {label}, which the queries set themselves: name another label")
        matchers.append(f"{label}{operator}{value}")
        position = match.end()
    return ",".join(matchers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which series an expression reads.

    Attributes:
        matchers: canonical label matchers for every selector (:func:`parse_matchers`).
        rate_window: window of rates and latencies; at least four scrape intervals (Prometheus' own advice).
        shape_window: window of token counts a request and of the hit ratio; longer, because shapes move
        slowly. window: how far back demand is read from recorded series.
        identity: labels that tell clusters apart where several are read at once, as the recording rules do.
    """

    matchers: str = ""
    rate_window: timedelta = timedelta(minutes=5)
    shape_window: timedelta = timedelta(hours=1)
    window: timedelta = timedelta(hours=168)
    identity: tuple[str, ...] = ()

    def selector(self, metric: str, *labels: str) -> str:
        """Return ``metric{labels, matchers}``."""
        inside = ",".join([*labels, *([self.matchers] if self.matchers else [])])
        return f"{metric}{{{inside}}}" if inside else metric

    def by(self, *labels: str) -> str:
        """Return a ``by`` clause of the identity labels and the given ones."""
        return f"by ({', '.join([*self.identity, *labels])})"

    def on(self, *labels: str) -> str:
        """Return an ``on`` clause of the identity labels and the given ones."""
        return f"on ({', '.join([*self.identity, *labels])})"


def promql_duration(duration: timedelta) -> str:
    """Return a range of PromQL (``5m``, ``168h``), the same text as a duration of the API."""
    return format_duration(duration)
