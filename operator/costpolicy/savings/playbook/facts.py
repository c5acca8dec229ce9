"""What decides the state of a playbook's rows: the policy's words, what runs, and what engines count."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from costpolicy.api.missing import Missing
from costpolicy.api.policy import CostPolicySpec
from costpolicy.catalog.engines import Engine
from costpolicy.planning.configuration import Configuration
from costpolicy.units import Money


class State(StrEnum):
    """What becomes of a technique."""

    APPLIED = "Applied"
    """It is in force; its money is what it saves already."""
    RECOMMENDED = "Recommended"
    """It would save, or is wrong now; its money is what it would save."""
    BLOCKED = "Blocked"
    """It would save, and something forbids it."""
    NOT_APPLICABLE = "NotApplicable"
    """It would save nothing here, by this deployment's numbers."""
    UNKNOWN = "Unknown"
    """What it would save cannot be said; the reason says what is missing."""


class Row(NamedTuple):
    """State, money a month (``None``: cannot be said), and why, in at most 128 characters."""

    state: State
    saves: Money | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What engines count; means and shares over the past hour or less.

    Attributes:
        hit_ratio: share of prompt tokens found in the prefix cache.
        long_answer: tokens that 99 % of the answers keep below.
        limit: mean limit in force, in tokens.
        cut_share: share of finished requests that were cut at their limit.
        abandoned: share of generated tokens that are in no finished request.
    """

    hit_ratio: float | Missing
    long_answer: float | Missing
    limit: float | Missing
    cut_share: float | Missing
    abandoned: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """A route that sends requests to a policy, as its status says it.

    Attributes:
        share: of its tokens that go to tiers below the trusted one, such as ``30%``; empty: none do.
        saved: what a token costs less than if the dearest tier answered everything, such as ``15%``; empty: not known.
        compresses: it shortens long contexts.
        caps: it limits the length of answers.
    """

    route: str
    share: str
    saved: str
    compresses: bool
    caps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One policy.

    Attributes:
        running: what serves; ``None``: nothing yet.
        planned: what would be applied now; ``None``: no plan.
        refused: the quality gate has refused what would be cheaper.
        gate: the policy has prompts to prove quality with.
        release: of its engines.
        routes: by which it is reached, where it is through a router.
    """

    spec: CostPolicySpec
    running: Configuration | None
    planned: Configuration | None
    refused: bool
    gate: bool
    traffic: Traffic
    release: Engine
    routes: tuple[Routed, ...] = ()
