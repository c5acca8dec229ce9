"""The decision test: is what the model would pick also a good pick by what was measured?

For each group of measured configurations (one accelerator, model, format and pair of lengths; tensor parallelism and
concurrency vary) and each pair of objectives that some measured configuration keeps: the model picks the highest
predicted throughput per accelerator whose predicted latencies, times a margin, keep the objectives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from statistics import mean

from accuracy.errors import Predicted
from costpolicy.api.types import CapacityType
from costpolicy.catalog.prices import list_price_book

TTFT_SECONDS = (0.2, 0.4, 0.7, 1.2, 2.0)
INTER_TOKEN_SECONDS = (0.012, 0.018, 0.025, 0.035, 0.050)
TTFT_MARGIN, INTER_TOKEN_MARGIN = 1.15, 1.06
_SMALLEST_GROUP = 4
_DIFFERENT = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """``made`` decisions: how many kept the objective when measured (a declined one did not), and what share of the
    best measured throughput per accelerator those reached."""

    made: int
    kept: float
    share_of_best: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Pairs of measured configurations whose cost per token differs by more than 10 %, and how many are in order."""

    pairs: int
    right: int


def decisions(found: Sequence[Predicted]) -> Decisions:
    """Return how the model's picks fare."""
    kept, shares, made = 0, [], 0
    for group in _groups(found):
        for objectives in product(TTFT_SECONDS, INTER_TOKEN_SECONDS):
            possible = [one for one in group if _keeps(one.row.ttft, one.row.inter_token, objectives)]
            if not possible:
                continue
            made += 1
            picked = _pick(group, objectives)
            if picked in possible:
                kept += 1
                shares.append(_measured_rate(picked) / max(map(_measured_rate, possible)))
    return Decisions(made=made, kept=kept / made, share_of_best=mean(shares))


def list_prices() -> dict[str, float]:
    """Return the packaged on-demand price of each accelerator an hour, for comparisons only."""
    offerings = list_price_book().spec.offerings
    return {one.accelerator: float(one.hourly) for one in offerings if one.capacity_type == CapacityType.ON_DEMAND}


def orders(found: Sequence[Predicted], hourly: dict[str, float]) -> Orders:
    """Return whether the cheaper of two configurations under the same load is predicted to be the cheaper one.

    ``hourly`` is the price of an accelerator; a load is a workload and a number of clients.
    """
    right = pairs = 0
    for one, other in combinations(found, 2):
        if (one.row.workload, one.row.concurrency, one.row.shape.model) != (
            other.row.workload,
            other.row.concurrency,
            other.row.shape.model,
        ):
            continue
        measured = _ratio(one, other, hourly, predicted=False)
        if max(measured, 1.0 / measured) > _DIFFERENT:
            pairs += 1
            right += (measured > 1.0) == (_ratio(one, other, hourly, predicted=True) > 1.0)
    return Orders(pairs=pairs, right=right)


def _groups(found: Sequence[Predicted]) -> Iterable[list[Predicted]]:
    by_key: dict[object, list[Predicted]] = {}
    for one in found:
        shape, workload = one.row.shape, one.row.workload
        key = shape.accelerator.name, shape.model.id, shape.weights, workload.prompt_tokens, workload.output_tokens
        by_key.setdefault(key, []).append(one)
    return [group for group in by_key.values() if len(group) >= _SMALLEST_GROUP]


def _pick(group: Sequence[Predicted], objectives: tuple[float, float]) -> Predicted | None:
    allowed = [
        one
        for one in group
        if _keeps(one.latency.ttft.mean * TTFT_MARGIN, one.latency.inter_token.mean * INTER_TOKEN_MARGIN, objectives)
    ]
    return max(allowed, key=_predicted_rate, default=None)


def _keeps(ttft: float, inter_token: float, objectives: tuple[float, float]) -> bool:
    return ttft <= objectives[0] and inter_token <= objectives[1]


def _predicted_rate(one: Predicted) -> float:
    return one.latency.output_tokens_per_second / one.row.shape.tensor_parallel_size


def _measured_rate(one: Predicted) -> float:
    """Return output tokens a second and accelerator, by Little's law where no throughput was published."""
    row = one.row
    seconds = row.ttft + row.inter_token * (row.workload.output_tokens - 1.0)
    rate = row.output_tokens_per_second or row.concurrency * row.workload.output_tokens / seconds
    return rate / row.shape.tensor_parallel_size


def _ratio(one: Predicted, other: Predicted, hourly: dict[str, float], *, predicted: bool) -> float:
    rate = _predicted_rate if predicted else _measured_rate
    prices = hourly[one.row.shape.accelerator.name] / hourly[other.row.shape.accelerator.name]
    return prices * rate(other) / rate(one)
