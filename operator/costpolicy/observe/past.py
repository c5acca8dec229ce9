"""What is recorded of past hours: long answers that stay the same for hours, read anew only when they change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from costpolicy.observe.costs import Costs, costs_of, in_order
from costpolicy.observe.source import Sample
from costpolicy.observe.window import LoadWindow, load_windows

Key: TypeAlias = tuple[str, str, str]
"""Namespace, policy, variant; the variant is empty where a question is about policies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past of the whole fleet.

    Attributes:
        load, cost: the answers that it was read from.
        hours: recorded hours of each policy's variants, those that went included.
        costs: of each policy that was recorded.
        idle: of a policy that was not: no costs at all times that were recorded.
    """

    load: tuple[Sample, ...] = field(default=(), repr=False, compare=False)
    cost: tuple[Sample, ...] = field(default=(), repr=False, compare=False)
    hours: Mapping[tuple[str, str], Mapping[str, tuple[LoadWindow, ...]]] = field(default_factory=dict)
    costs: Mapping[Key, Costs] = field(default_factory=dict)
    idle: Costs = field(default_factory=dict)


def read_past(load: tuple[Sample, ...], cost: tuple[Sample, ...], before: Past) -> Past:
    """Return the past that two answers tell; of an answer that is the one before, what was read of it then.

    Args:
        load: to ``load_windows``.
        cost: to ``cost_by_time``.
        before: an empty one, or what an earlier look has read.
    """
    hours = before.hours if load == before.load else _hours(load)
    if cost == before.cost:
        return Past(load=load, cost=cost, hours=hours, costs=before.costs, idle=before.idle)
    recorded = by_key(cost)
    times = recorded.pop(("", "", ""), ())
    costs = {key: costs_of(in_order(samples), times) for key, samples in recorded.items()}
    return Past(load=load, cost=cost, hours=hours, costs=costs, idle=costs_of((), times))


def _hours(samples: Iterable[Sample]) -> Mapping[tuple[str, str], Mapping[str, tuple[LoadWindow, ...]]]:
    hours: dict[tuple[str, str], dict[str, tuple[LoadWindow, ...]]] = {}
    for (namespace, policy, variant), found in by_key(samples).items():
        hours.setdefault((namespace, policy), {})[variant] = load_windows(found)
    return hours


def by_key(samples: Iterable[Sample]) -> dict[Key, tuple[Sample, ...]]:
    """Return samples by the policy and variant that they are of."""
    grouped: dict[Key, list[Sample]] = {}
    for sample in samples:
        label = sample.labels.get
        key = label("namespace", ""), label("policy", ""), label("variant", "")
        if key in grouped:
            grouped[key].append(sample)
        else:
            grouped[key] = [sample]
    return {key: tuple(found) for key, found in grouped.items()}
