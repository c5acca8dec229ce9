"""What the router counts, and its page in Prometheus' text format.

The router's image has no library for it that we could rely on, and LiteLLM's own series carry neither our labels nor what
clients ask for.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, TypeAlias

TOKENS: Final = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 131072)
"""Upper bounds of buckets for numbers of tokens."""

Labels: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class Counter:
    """A number for each set of labels that only grows."""

    name: str
    says: str
    labels: Labels
    values: dict[Labels, int] = field(default_factory=dict)

    kind = "counter"

    def add(self, *labels: str, amount: int = 1) -> None:
        """Count more."""
        self.values[labels] = self.values.get(labels, 0) + amount

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], int]]:
        """Yield every sample: name, labels, value."""
        for labels, value in self.values.items():
            yield self.name, dict(zip(self.labels, labels, strict=True)), value


@dataclass(slots=True)
class Histogram:
    """How often a number of tokens fell into which bucket, for each set of labels."""

    name: str
    says: str
    labels: Labels
    counts: dict[Labels, list[int]] = field(default_factory=dict)
    sums: dict[Labels, int] = field(default_factory=dict)

    kind = "histogram"

    def observe(self, *labels: str, tokens: int) -> None:
        """Count one number of tokens."""
        counts = self.counts.setdefault(labels, [0] * (len(TOKENS) + 1))
        counts[bisect_left(TOKENS, tokens)] += 1
        self.sums[labels] = self.sums.get(labels, 0) + tokens

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], int]]:
        """Yield every sample: name, labels, value; buckets count what lies in those before, too."""
        for values, counts in self.counts.items():
            labels = dict(zip(self.labels, values, strict=True))
            seen = 0
            for bound, count in zip((*map(str, TOKENS), "+Inf"), counts, strict=True):
                seen += count
                yield f"{self.name}_bucket", {**labels, "le": bound}, seen
            yield f"{self.name}_count", labels, seen
            yield f"{self.name}_sum", labels, self.sums[values]


_TIER: Final = ("route", "tier", "policy", "feature")


@dataclass(frozen=True, slots=True)
class Series:
    """Everything that is counted; ``lock`` is held for each change and while the page is written."""

    requests: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_requests_total",
            "Requests by the tier that answered, or was to. refused: the request's own fault (4xx).",
            (*_TIER, "outcome"),
        )
    )
    tokens: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_tokens_total",
            "Tokens of answered requests. cached: those of prompt that came from the tier's cache.",
            (*_TIER, "kind"),
        )
    )
    scores: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_scores_total", "Scored requests, by tenths of the score.", ("route", "tenth")
        )
    )
    asked: Histogram = field(
        default_factory=lambda: Histogram(
            "costpolicy_route_asked_tokens", "Limits of answers that clients ask for.", ("route", "feature")
        )
    )
    generated: Histogram = field(
        default_factory=lambda: Histogram(
            "costpolicy_route_generated_tokens", "Tokens of answers.", ("route", "feature")
        )
    )
    cut: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_cut_total", "Answers that ended at their limit.", ("route", "feature")
        )
    )
    compressed: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_compressed_characters_total", "Characters of prompts that were left out.", ("route",)
        )
    )
    removed: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_removed_tokens_total",
            "Tokens that were left out of answered prompts. cache: whether the prefix cache would have had them.",
            ("route", "cache"),
        )
    )
    sampled: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_sampled_total", "Requests that were written down.", ("route",)
        )
    )
    errors: Counter = field(
        default_factory=lambda: Counter(
            "costpolicy_route_callback_errors_total", "Steps that failed and were left out.", ("step",)
        )
    )
    lock: Lock = field(default_factory=Lock)

    def page(self) -> str:
        """Return everything in Prometheus' text format, version 0.0.4."""
        with self.lock:
            return "".join(line for one in self.all() for line in _lines(one))

    def all(self) -> tuple[Counter | Histogram, ...]:
        """Return every series."""
        counted = (self.requests, self.tokens, self.scores, self.asked, self.generated, self.cut)
        return (*counted, self.compressed, self.removed, self.sampled, self.errors)


def _lines(one: Counter | Histogram) -> Iterator[str]:
    yield f"# HELP {one.name} {one.says}\n# TYPE {one.name} {one.kind}\n"
    for name, labels, value in one.samples():
        told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{told}}} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
