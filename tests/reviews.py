"""A month of a fleet to report on: policies with their status, and the hours that Prometheus would have recorded of them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from builders import plan_status, policy_document
from costpolicy.api.policy import CostPolicy
from costpolicy.kube.parsing import parse_policy
from costpolicy.observe.review import Review, Served
from costpolicy.units import Money

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
UNTIL = NOW.replace(minute=0)
DAYS = [SINCE.date() + timedelta(days=number) for number in range(24)]
ROUTED = ("assistant", "search")
"""Policies that a router sends requests to."""
HOSTILE = "</td><script>document.title='taken'</script>&\"'"


def stored(name: str, namespace: str = "team-a", status: dict[str, Any] | None = None, **spec: Any) -> CostPolicy:
    """A policy as the cluster returns it."""
    document = policy_document(name, namespace=namespace, **spec)
    found = parse_policy({**document, "status": status} if status is not None else document)
    assert isinstance(found, CostPolicy), found
    return found


def spending(hourly: str, spent: str, forecast: str | None = None) -> dict[str, Any]:
    told = {
        "month": "2026-11",
        "spent": spent,
        "until": "2026-11-24T15:20:00Z",
        "costPerHour": hourly,
        "currency": "USD",
    }
    return {**told, "forecast": forecast} if forecast is not None else told


def window(since: str, until: str, cost: str, requests: int) -> dict[str, Any]:
    return {
        "since": since,
        "until": until,
        "totalCost": cost,
        "requests": requests,
        "promptTokens": requests * 900,
        "outputTokens": requests * 200,
        "hours": 168,
    }


def change(at: str, measured: str = "", **fields: str) -> dict[str, Any]:
    told = {
        "at": at,
        "startedAt": at,
        "change": "a cheaper plan",
        "before": "4 nvidia-h100-80gb OnDemand, bf16 weights",
        "after": "2 nvidia-h100-80gb OnDemand, fp8 weights",
        "proof": "1,200 prompts were answered no worse; four hours beside what served kept 500 ms",
        "undo": "set in spec: techniques.quantization.mode: Disabled",
        "measured": measured,
    }
    return {**told, **fields}


def measured(at: str, **figures: Any) -> dict[str, Any]:
    """Halved: 0.50 of a request's cost, nearly all by the change."""
    told = {
        "changedAt": at,
        "complete": True,
        "baseline": window("2026-11-02T09:00:00Z", "2026-11-09T09:00:00Z", "2310.00", 1_204_331),
        "current": window("2026-11-09T10:00:00Z", "2026-11-16T10:00:00Z", "1155.00", 1_311_870),
        "costReduction": 0.541,
        "efficiencyImprovement": 1.18,
        "qualityMaintained": True,
        "interval": {"low": 0.472, "high": 0.534, "level": 0.95},
        "attribution": {"change": 0.503, "traffic": 0.041, "price": 0.0, "unexplained": -0.003},
        "savedPerHour": "6.92",
        "realisedPerHour": "3.46",
    }
    return {**told, **figures}


def status(hourly: str, spent: str, forecast: str | None = None, **fields: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True", "reason": "Serving", "lastTransitionTime": "2026-11-01T00:00:00Z"}
    current = plan_status(costPerHour=hourly, replicas=2)
    return {"current": current, "spending": spending(hourly, spent, forecast), "conditions": [ready], **fields}


def _row(technique: str, state: str, reason: str, saves: str | None = None) -> dict[str, Any]:
    row = {"technique": technique, "state": state, "reason": reason}
    return row if saves is None else {**row, "savesPerMonth": saves}


PLAYBOOK = [
    _row("prefixCaching", "Applied", "72 % of prompt tokens are not computed", "2190.00"),
    _row("quantization", "Recommended", "no quality gate is configured", "1825.00"),
    _row("maxTokensAudit", "Recommended", "asked 4,096, generated 200: what is not generated costs nothing", "0.00"),
    _row("smartRouting", "Unknown", "no labelled traffic"),
    _row("customKernels", "NotApplicable", "rarely worth it"),
]


def _lost() -> dict[str, Any]:
    return measured(
        "2026-11-12T08:00:00Z",
        costReduction=-0.082,
        interval={"low": -0.131, "high": -0.02, "level": 0.95},
        attribution={"change": -0.074, "traffic": -0.012, "price": 0.0, "unexplained": 0.004},
        savedPerHour="-0.61",
        realisedPerHour="-0.61",
        qualityMaintained=None,
    )


def fleet() -> list[CostPolicy]:
    """Seven policies with everything that a report can show, and one that nobody has answered."""
    saved, lost, waits = "2026-11-09T09:40:00Z", "2026-11-12T08:00:00Z", "2026-11-23T08:00:00Z"
    reason = "a day of costs and requests has to pass before it is said what the change saves"
    on_spot = {"before": "2 nvidia-h100-80gb OnDemand, bf16 weights", "after": "8 nvidia-l40s Spot, bf16 weights"}
    told = {"history": [change(saved)], "measurement": measured(saved), "playbook": PLAYBOOK}
    dearer = {"history": [change(lost, **on_spot)], "measurement": _lost()}
    waiting = {"history": [change(waits)], "measurement": {"changedAt": waits, "reason": reason}}
    return [
        stored("assistant", status=status("13.84", "6900.40", "9120.00", **told), budget={"monthly": "8500"}),
        stored("search", status=status("6.88", "4012.77", "5210.00", **dearer), budget={"monthly": "6000"}),
        stored("summaries", "team-b", status=status("3.72", "2160.00", **waiting)),
        stored("code", "team-b", status=status("1.86", "1055.31", "1360.00"), budget={"monthly": "1500"}),
        stored("translate", "team-c", status=status("0.80", "430.10")),
        stored("moderation", "team-c", status=status("0.70", "401.00")),
        stored("nightly", "team-c", status=status("0.00", "120.50")),
        stored("new", "team-c"),
    ]


def recorded(policies: list[CostPolicy]) -> Review:
    """The same month by day: what status has counted, spread over days with quiet weekends."""
    shape = [60 if day.weekday() >= 5 else 100 + 4 * (number % 4) for number, day in enumerate(DAYS)]
    days: dict[tuple[str, str], dict[str, dict[date, Money]]] = {}
    served: dict[tuple[str, str], Served] = {}
    features: dict[tuple[str, str], dict[str, dict[str, Money]]] = {}
    for policy in policies:
        spent = policy.status.spending if policy.status else None
        if spent is None:
            continue
        key = (policy.metadata.namespace, policy.metadata.name)
        total = Money.read(spent.spent)
        daily = {day: total.scaled(part, sum(shape)) for day, part in zip(DAYS, shape, strict=True)}
        days[key] = {"USD": daily}
        parts = {"search": 40, "chat": 25, "other": 5} if policy.metadata.name in ROUTED else {}
        features[key] = {"USD": {feature: total.scaled(part, 100) for feature, part in parts.items()}}
        served[key] = Served(requests=max(total.micros // 900, 1), tokens=total.micros, costs={"USD": total})
    return Review(
        since=SINCE,
        until=UNTIL,
        days=days,
        served=served,
        known_hours=23 * 24 + 13,
        unpriced={("team-c", "nightly"): 3},
        features=features,
    )
