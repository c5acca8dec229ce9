"""The decision test: is what the model would pick also a good pick by what was measured?

For each group of measured configurations (one accelerator, model, format and pair of lengths; tensor parallelism and
concurrency vary) and each pair of objectives that some measured configuration keeps: the model picks the highest
predicted throughput per accelerator whose predicted latencies, times a margin, keep the objectives.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from statistics import mean
from typing import NamedTuple

from accuracy.errors import Predicted
from costpolicy.api.types import CapacityType
from costpolicy.catalog.prices import list_price_book

TTFT_SECONDS = (0.2, 0.4, 0.7, 1.2, 2.0)
INTER_TOKEN_SECONDS = (0.012, 0.018, 0.025, 0.035, 0.050)
_SMALLEST_GROUP = 4
_DIFFERENT = 1.1


class Figures(NamedTuple):
    """TTFT and inter-token latency (seconds, means) and output tokens a second and accelerator."""

    ttft: float
    inter_token: float
    rate: float

    def keep(self, ttft: float, inter_token: float) -> bool:
        """Tell whether both latencies are within their objectives."""
        return self.ttft <= ttft and self.inter_token <= inter_token


class Margins(NamedTuple):
    """Factors on the predicted latencies of a pick."""

    ttft: float
    inter_token: float


MARGINS = Margins(ttft=1.15, inter_token=1.06)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A configuration that may be picked: of which group, how it measured, and what a picker believes of it."""

    name: str
    group: Hashable
    ranks: int
    concurrency: float
    measured: Figures
    believed: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One group under one pair of objectives: the ``best`` by what was measured, and what was ``picked`` (None: no
    configuration is believed to keep the objectives)."""

    ttft: float
    inter_token: float
    best: Choice
    picked: Choice | None

    @property
    def kept(self) -> bool:
        """Whether the pick kept the objectives when measured."""
        return self.picked is not None and self.picked.measured.keep(self.ttft, self.inter_token)

    @property
    def lost(self) -> float:
        """Share of the best measured throughput per accelerator that the pick does not reach."""
        return 0.0 if self.picked is None else 1.0 - self.picked.measured.rate / self.best.measured.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """``made`` decisions: how many kept the objective when measured (a declined one did not), and what share of the
    best measured throughput per accelerator those reached."""

    made: int
    kept: float
    share_of_best: float

    @classmethod
    def of(cls, decided: Sequence[Decision]) -> "Decisions":
        """Return the score of decisions, of which at least one was kept."""
        kept = [one for one in decided if one.kept]
        return cls(made=len(decided), kept=len(kept) / len(decided), share_of_best=1.0 - mean(one.lost for one in kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Two configurations under the same load: the second's measured tokens for the same money over the first's, and
    the predicted ones, likewise."""

    first: str
    second: str
    measured: float
    predicted: float

    @property
    def right(self) -> bool:
        """Whether the one that measured cheaper is predicted to be the cheaper one."""
        return (self.measured > 1.0) == (self.predicted > 1.0)


def choices(found: Sequence[Predicted]) -> list[Choice]:
    """Return the configurations of groups that are large enough."""
    by_group: dict[Hashable, list[Choice]] = {}
    for one in found:
        shape, workload = one.row.shape, one.row.workload
        key = shape.accelerator.name, shape.model.id, shape.weights, workload.prompt_tokens, workload.output_tokens
        by_group.setdefault(key, []).append(
            Choice(
                name=one.row.name,
                group=key,
                ranks=shape.tensor_parallel_size,
                concurrency=one.row.concurrency,
                measured=_measured(one),
                believed=_believed(one),
            )
        )
    return [one for group in by_group.values() if len(group) >= _SMALLEST_GROUP for one in group]


def decide(among: Sequence[Choice], margins: Margins = MARGINS) -> Iterator[Decision]:
    """Yield a decision for each group and pair of objectives that some configuration keeps when measured."""
    by_group: dict[Hashable, list[Choice]] = {}
    for one in among:
        by_group.setdefault(one.group, []).append(one)
    for group in by_group.values():
        for ttft, inter_token in product(TTFT_SECONDS, INTER_TOKEN_SECONDS):
            possible = [one for one in group if one.measured.keep(ttft, inter_token)]
            if not possible:
                continue
            allowed = [
                one for one in group if one.believed.keep(ttft / margins.ttft, inter_token / margins.inter_token)
            ]
            yield Decision(
                ttft=ttft,
                inter_token=inter_token,
                best=max(possible, key=lambda one: one.measured.rate),
                picked=max(allowed, key=lambda one: one.believed.rate, default=None),
            )


def list_prices() -> dict[str, float]:
    """Return the packaged on-demand price of each accelerator an hour, for comparisons only."""
    offerings = list_price_book().spec.offerings
    return {one.accelerator: float(one.hourly) for one in offerings if one.capacity_type == CapacityType.ON_DEMAND}


def orders(found: Sequence[Predicted], hourly: dict[str, float]) -> list[Order]:
    """Return the pairs of measured configurations under the same load whose cost per token differs by over 10 %.

    ``hourly`` is the price of an accelerator; a load is a workload and a number of clients.
    """
    pairs = []
    for one, other in combinations(found, 2):
        if (one.row.workload, one.row.concurrency, one.row.shape.model) != (
            other.row.workload,
            other.row.concurrency,
            other.row.shape.model,
        ):
            continue
        prices = hourly[one.row.shape.accelerator.name] / hourly[other.row.shape.accelerator.name]
        pair = Order(
            first=one.row.name,
            second=other.row.name,
            measured=prices * _measured(other).rate / _measured(one).rate,
            predicted=prices * _believed(other).rate / _believed(one).rate,
        )
        if max(pair.measured, 1.0 / pair.measured) > _DIFFERENT:
            pairs.append(pair)
    return pairs


def _believed(one: Predicted) -> Figures:
    found = one.latency
    return Figures(
        found.ttft.mean,
        found.inter_token.mean,
        found.output_tokens_per_second / one.row.shape.tensor_parallel_size,
    )


def _measured(one: Predicted) -> Figures:
    """Return what was measured; throughput by Little's law where none was published."""
    row = one.row
    seconds = row.ttft + row.inter_token * (row.workload.output_tokens - 1.0)
    rate = row.output_tokens_per_second or row.concurrency * row.workload.output_tokens / seconds
    return Figures(row.ttft, row.inter_token, rate / row.shape.tensor_parallel_size)
