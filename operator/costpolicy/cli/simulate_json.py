"""A played scenario as JSON: money as decimal strings, times and shares as numbers."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from costpolicy.simulation.bounds import Bound, changes_of, savings
from costpolicy.simulation.deployed import Result
from costpolicy.simulation.play import Compared, Played
from costpolicy.simulation.timeline import Piece, pieces

HOUR: Final = timedelta(hours=1)


def simulation_json(played: Played, bounds: Sequence[Bound]) -> dict[str, Any]:
    """Return the answer of ``costpolicy simulate -o json``."""
    return {
        "scenario": played.scenario.name,
        "about": played.scenario.about,
        "hours": played.scenario.duration / HOUR,
        "currency": played.currency,
        "policies": [_policy(compared, played.start) for compared in played.policies],
        "expectations": [asdict(bound) for bound in bounds],
        "kept": all(bound.kept for bound in bounds),
    }


def _policy(compared: Compared, start: datetime) -> dict[str, Any]:
    spent = compared.result.cost.exact
    return {
        "policy": compared.policy,
        "operator": _result(compared.result),
        "staticPeak": _result(compared.static_peak),
        "horizontalPodAutoscaler": _result(compared.autoscaler),
        "bestPossibleShare": compared.best,
        "savedAgainstStaticPeak": savings(spent, compared.static_peak.cost.exact),
        "savedAgainstHorizontalPodAutoscaler": savings(spent, compared.autoscaler.cost.exact),
        "configurationChanges": len(changes_of(compared)),
        "events": [
            {"hour": (each.at - start) / HOUR, "reason": str(each.reason), "note": each.note}
            for each in compared.happenings
        ],
        "timeline": [_piece(piece, start) for piece in pieces(compared.intervals, start, HOUR)],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "requests": round(result.requests),
        "insideObjectives": result.share,
        "cost": result.cost.money().text(2),
        "mostReplicas": result.most_replicas,
    }


def _piece(piece: Piece, start: datetime) -> dict[str, Any]:
    return {
        "hour": (piece.at - start) / HOUR,
        "requestsPerSecond": piece.requests_per_second,
        "fewestReplicas": piece.fewest,
        "mostReplicas": piece.most,
        "insideObjectives": piece.result.share,
        "cost": piece.result.cost.money().text(2),
    }
