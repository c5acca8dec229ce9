"""What a policy's status says of it, in the order in which people ask: the JSON answer of ``costpolicy explain``."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from costpolicy.api.conditions import ConditionType, find
from costpolicy.api.policy import CostPolicy
from costpolicy.api.status import CostPolicyStatus
from costpolicy.api.types import RolloutMode
from costpolicy.rollout.upcoming import described, upcoming
from costpolicy.savings.paragraph import paragraph
from costpolicy.units import Money, format_time, parse_duration

Answer = dict[str, Any]
RECEIPTS: Final = 3
"""Last changes that are told."""


def explanation(policy: CostPolicy, default: RolloutMode, now: datetime) -> Answer:
    """Return the answer; what is not known is null, with a reason where there is one.

    Args:
        policy: as stored, with its status.
        default: the mode of policies that state none.
        now: the time.
    """
    status = policy.status or CostPolicyStatus()
    ready = find(status.conditions, ConditionType.READY)
    return {
        "policy": policy.key,
        "mode": (policy.spec.rollout.mode or default).value,
        "answered": policy.status is not None,
        "ready": ready.status if ready else None,
        "runs": _runs(status),
        "latencies": list(_latencies(policy, status)),
        "cost": _cost(policy, status),
        "cheaper": _cheaper(status),
        "conditions": [
            {"type": one.type, "status": one.status, "reason": one.reason, "message": one.message}
            for one in status.conditions
        ],
        "changes": _changes(policy, status),
        "playbook": [row.to_json() for row in status.playbook],
        "next": [
            {
                "when": None if one.at is None else format_time(one.at),
                "what": one.what,
                "why": one.why,
                "savesPerMonth": None if one.saves_an_hour is None else one.saves_an_hour.monthly().text(2),
            }
            for one in upcoming(policy, default, now)
        ],
    }


def currency_of(status: CostPolicyStatus) -> str:
    """Return the currency of a status's amounts; empty where it says none."""
    named = (status.spending, status.current, status.target)
    return next((one.currency for one in named if one is not None and one.currency), "")


def _runs(status: CostPolicyStatus) -> Answer | None:
    if status.current is None:
        return None
    variants = [
        {"variant": one.hash, "role": one.role, "replicas": one.replicas, "ready": one.ready_replicas}
        for one in status.variants
    ]
    return {"what": described(status.current), "variants": variants}


def _latencies(policy: CostPolicy, status: CostPolicyStatus) -> Iterator[Answer]:
    wanted, observed = policy.spec.objectives, status.observed
    predicted = status.target.predicted if status.target else None
    for name, objective, seen, expected in (
        (
            "time to first token",
            wanted.ttft,
            observed.ttft_p95_seconds if observed else None,
            predicted.ttft_seconds.p95 if predicted else None,
        ),
        (
            "time between two tokens",
            wanted.inter_token_latency,
            observed.inter_token_latency_p95_seconds if observed else None,
            predicted.inter_token_latency_seconds.p95 if predicted else None,
        ),
    ):
        if objective is not None:
            promised = parse_duration(objective.p95).total_seconds()
            yield {"what": name, "promised": promised, "observed": seen, "predicted": expected}


def _cost(policy: CostPolicy, status: CostPolicyStatus) -> Answer:
    current, target, spending, budget = status.current, status.target, status.spending, policy.spec.budget
    hourly = current.cost_per_hour if current else None
    return {
        "currency": currency_of(status),
        "perHour": hourly,
        "perMonth": None if hourly is None else Money.read(hourly).monthly().text(2),
        "perMillionTokens": target.cost_per_million_tokens if target else None,
        "month": spending.month if spending else None,
        "spent": spending.spent if spending else None,
        "spentUntil": format_time(spending.until) if spending else None,
        "unknown": (spending.gap or None) if spending else None,
        "forecast": spending.forecast if spending else None,
        "budget": {"hour": budget.hourly, "month": budget.monthly} if budget else None,
    }


def _cheaper(status: CostPolicyStatus) -> Answer:
    better, current = status.recommended, status.current
    saves = None
    if better is not None and current is not None and current.cost_per_hour is not None:
        saves = (Money.read(current.cost_per_hour) - Money.read(better.cost_per_hour)).monthly().text(2)
    return {
        "whyNot": status.why_not_cheaper or None,
        "infeasible": status.infeasible.message if status.infeasible else None,
        "recommended": described(better) if better else None,
        "recommendedSavesPerMonth": saves,
    }


def _changes(policy: CostPolicy, status: CostPolicyStatus) -> list[Answer]:
    return [
        {
            "at": format_time(receipt.at),
            "before": receipt.before,
            "after": receipt.after,
            "measured": receipt.measured or None,
            "undo": receipt.undo or None,
            "paragraph": paragraph(receipt, status.measurement, policy=policy.key, currency=currency_of(status)),
        }
        for receipt in status.history[:RECEIPTS]
    ]
