"""Routes, what they are decided on, and what was decided of them, for tests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from builders import merged, policy
from costpolicy.api.conditions import Condition, ConditionType, find
from costpolicy.api.model_route import ModelRoute
from costpolicy.api.model_route_status import ModelRouteStatus
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.catalog.prices import merge_books
from costpolicy.manifests.router.configuration import configuration_name
from costpolicy.observe.routes import RouteTraffic, TierTokens
from costpolicy.reconcile.routes.compression import read_compression
from costpolicy.reconcile.routes.decide import RoutesDecision, decide_routes
from costpolicy.reconcile.routes.proofs import read_proof
from costpolicy.reconcile.routes.snapshot import RoutesSnapshot
from costpolicy.routing.calibration import Evidence, NothingProven, Proven, config_map_data
from costpolicy.routing.coefficients import generic_coefficients
from costpolicy.routing.compression_proof import CompressionEvidence, Pairs, document
from costpolicy.routing.proof import Examined

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
TODAY = date(2026, 11, 29)
IMAGE = "registry.example/litellm@sha256:" + "a" * 64
FLAT = {"small": "0.25", "medium": "3", "large": "15"}
"""The prices of the mission's example, for input and output alike."""

Document = dict[str, Any]


def external(name: str, below: str | None = None, **fields: Any) -> Document:
    """A tier of a provider, called as its model is."""
    tier = {"name": name, "external": {"provider": "openai", "model": name}, **fields}
    return tier if below is None else {**tier, "complexityBelow": below}


def hosted(name: str, below: str | None = None, **fields: Any) -> Document:
    """A tier of a policy, called as the policy is."""
    tier = {"name": name, "policyRef": {"name": name}, **fields}
    return tier if below is None else {**tier, "complexityBelow": below}


THREE = (external("small", "0.6"), external("medium", "0.9"), external("large"))
BOTH_PROVEN = {"tiers": [{"name": name, "configMapRef": {"name": name}} for name in ("small", "medium")]}


def route_document(tiers: Any = THREE, name: str = "chat", **spec: Any) -> Document:
    """A stored ModelRoute; keywords are fields of the spec."""
    smallest = {"tiers": list(tiers), "calibration": BOTH_PROVEN}
    if not {"small", "medium"} <= {tier["name"] for tier in tiers}:
        del smallest["calibration"]
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "ModelRoute",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "generation": 1},
        "spec": merged(smallest, spec),
    }


def route(tiers: Any = THREE, name: str = "chat", **spec: Any) -> ModelRoute:
    """The ModelRoute of :func:`route_document`."""
    return ModelRoute.model_validate(route_document(tiers, name, **spec))


def proof_data(
    threshold: str | None, *, lost: int = 5, on: date = TODAY, max_loss: str = "0.01", labels: int = 3500
) -> dict[str, str]:
    """What ``costpolicy route calibrate`` writes: a threshold that loses this many of its labels, or none."""
    evidence = Evidence(date=on, labels=labels, strong_score=Fraction(4, 5), max_loss=Fraction(max_loss))
    coefficients = generic_coefficients()
    if threshold is None:
        return config_map_data(NothingProven(evidence=evidence, coefficients=coefficients))
    examined = Examined(
        threshold=Fraction(threshold), routed=labels // 3, lost=lost, gained=0, strong_right=labels * 4 // 5
    )
    return config_map_data(Proven(evidence=evidence, coefficients=coefficients, examined=examined))


def compression_data(
    judged: int = 400, lost: int = 0, *, on: date = TODAY, settings: str = "1-4000-0.5", newest: Pairs | None = None
) -> dict[str, str]:
    """What ``costpolicy route renew`` writes of a compression of which so many pairs were judged."""
    pairs = Pairs(judged=judged, lost=lost)
    evidence = CompressionEvidence(settings=settings, date=on, pairs=pairs, newest=newest or pairs)
    return {"compression.json": json.dumps(document(evidence))}


def with_coefficients(data: Mapping[str, str], **changed: Any) -> dict[str, str]:
    """The same with other coefficients."""
    return {**data, "coefficients.json": json.dumps({**json.loads(data["coefficients.json"]), **changed})}


def prices(**per_million: str) -> PriceBook:
    """A book of token prices of one provider, input and output alike."""
    listed = [
        {"provider": "openai", "model": model, "inputPerMillion": price, "outputPerMillion": price}
        for model, price in (per_million or FLAT).items()
    ]
    return PriceBook.model_validate(
        {"metadata": {"name": "tokens"}, "spec": {"currency": "USD", "tokenPrices": listed}}
    )


def serving(name: str, *, planned: str | None = "0.40", ready: int = 1, **status: Any) -> CostPolicy:
    """A policy that serves, with the price of a million tokens that was planned for it."""
    place = {"accelerator": "nvidia-l4", "capacityType": "OnDemand", "acceleratorsPerReplica": 1}
    told = {**place, "replicas": 1, "tensorParallelSize": 1, "weights": "bf16", "kvCacheDtype": "auto"}
    conditions = [{"type": "Ready", "status": "False", "reason": "WaitingForReplicas", "message": "it loads"}]
    full = {
        "current": {**told, "readyReplicas": ready},
        "target": {**told, "costPerHour": "0.71", "costPerMillionTokens": planned} if planned else None,
        "conditions": conditions if not ready else [],
        **status,
    }
    document = policy(name).to_json() | {"status": {key: value for key, value in full.items() if value is not None}}
    return CostPolicy.model_validate(document)


def tokens(**by_tier: int) -> RouteTraffic:
    """A day in which each tier had so many tokens, four of a prompt for one that was generated."""
    return RouteTraffic(
        tokens={name: TierTokens(prompt=count * 4 // 5, output=count // 5) for name, count in by_tier.items()}
    )


def snapshot(
    *routes: ModelRoute, proofs: Mapping[str, Mapping[str, str]] | None = None, **changed: Any
) -> RoutesSnapshot:
    """Routes whose two cheaper tiers are proven below 0.6 and 0.9; keywords are fields of the snapshot."""
    data = {"small": proof_data("0.6"), "medium": proof_data("0.9")} if proofs is None else proofs
    made = RoutesSnapshot(
        namespace="default",
        routes=routes or (route(),),
        policies={},
        prices=merge_books([prices()], NOW),
        proofs={name: read_proof(name, one) for name, one in data.items()},
        compressions={name: read for name, one in data.items() if (read := read_compression(name, one)) is not None},
        image=IMAGE,
    )
    return replace(made, **changed)


@dataclass(frozen=True)
class Seen:
    """What was decided of one route."""

    decision: RoutesDecision
    status: ModelRouteStatus

    def says(self, kind: ConditionType) -> tuple[str, str]:
        """Status and reason of a condition."""
        one = self.condition(kind)
        return one.status, one.reason

    def condition(self, kind: ConditionType) -> Condition:
        found = find(self.status.conditions, kind)
        assert found is not None, kind
        return found

    @property
    def shares(self) -> dict[str, str]:
        return {tier.name: tier.share for tier in self.status.tiers}

    @property
    def below(self) -> dict[str, str]:
        return {tier.name: tier.below for tier in self.status.tiers}


def seen(given: RoutesSnapshot, name: str = "chat", now: datetime = NOW) -> Seen:
    """Decide, and look at one route."""
    decision = decide_routes(given, now)
    return Seen(decision, next(one.status for one in decision.statuses if one.route.name == name))


def running(given: RoutesSnapshot, *, ready: int = 2) -> RoutesSnapshot:
    """The same once its router was applied and its Deployment has so many replicas ready."""
    decision = decide_routes(given, NOW)
    stored = [
        {**item, "status": deployment_status(item, ready)} if item["kind"] == "Deployment" else item
        for item in decision.objects
    ]
    return replace(given, stored=tuple(stored))


def deployment_status(item: Document, ready: int) -> Document:
    """The status of a Deployment of which so many replicas of its last version are ready."""
    replicas = item["spec"]["replicas"]
    return {"replicas": replicas, "updatedReplicas": replicas, "readyReplicas": ready, "observedGeneration": 1}


def told(given: RoutesSnapshot) -> RoutesSnapshot:
    """The same once its statuses were written."""
    statuses = {one.route.name: one.status for one in decide_routes(given, NOW).statuses}
    routes = tuple(one.model_copy(update={"status": statuses[one.metadata.name]}) for one in given.routes)
    return replace(given, routes=routes)


__all__ = ["configuration_name"]
