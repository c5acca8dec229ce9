"""What the operator exports of many policies, each with all that can be exported."""

from datetime import UTC, datetime

from prometheus_client import generate_latest

from builders import configuration, offering
from costpolicy.catalog.prices import PriceList
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, Pod
from costpolicy.reconcile.exports import RunningVariant, fleet_series
from costpolicy.reconcile.fleet import Fleet
from costpolicy.reconcile.supply import Capacity
from costpolicy.runtime.telemetry import FleetView, Telemetry
from large_fleet import fleet_of
from staging import NO_METRICS

AT = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
PODS_EACH = 2
_HASH = "0123456789"


def exposition_of(policies: int) -> bytes:
    """The page that Prometheus scrapes, with two pods a policy: one that serves and one that starts."""
    stored = fleet_of(policies)
    configured = configuration()
    variants = [
        RunningVariant(
            namespace=one.metadata.namespace,
            policy=one.metadata.name,
            hash=_HASH,
            configuration=configured,
            selected=True,
        )
        for one in stored
    ]
    pods = tuple(_pod(variant, number, configured.resource_name) for variant in variants for number in range(PODS_EACH))
    prices = PriceList(currency="USD", offerings=(offering(),), token_prices=(), problems=())
    fleet = Fleet(
        at=AT, policies=tuple(stored), prices=prices, capacity=Capacity(nodes=(), pods=pods), observations=NO_METRICS
    )
    telemetry = Telemetry()
    telemetry.export(FleetView(series=fleet_series(variants, fleet)))
    return generate_latest(telemetry.registry)


def _pod(variant: RunningVariant, number: int, resource: str) -> Pod:
    return Pod(
        name=f"{variant.policy}-{variant.hash}-6f7d8c9b5-{number:05d}",
        namespace=variant.namespace,
        labels={POLICY_LABEL: variant.policy, VARIANT_LABEL: variant.hash},
        node="node-1",
        phase="Running",
        ready=number == 0,
        terminating=False,
        restarts=0,
        requests={resource: 1},
    )
