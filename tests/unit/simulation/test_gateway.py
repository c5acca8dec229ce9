"""The simulated cluster keeps the promises of the Gateway.

Covered: all of tests/gateway_contract/, over the store with server-side apply.
Not covered: schemas, admission and RBAC, which only a real API server has.
"""

from datetime import UTC, datetime

import pytest

from costpolicy.kube.events import event_body
from costpolicy.simulation.clock import SimulatedClock
from costpolicy.simulation.gateway import SimulatedGateway
from costpolicy.simulation.store import Store
from gateway_contract import GatewayContract


class SimulatedWorld:
    """The store, as users and controllers see it."""

    namespace = "test"

    def __init__(self, store, gateway, clock):
        self._store, self._gateway, self._clock = store, gateway, clock

    def create(self, item):
        return self._store.create(item, "somebody")

    def edit(self, ref, change, manager):
        return self._store.edit(ref, change, manager)

    def get(self, ref):
        return self._store.get(ref)

    def remove(self, ref):
        self._store.delete(ref)

    def events(self):
        return [event_body(event, self._clock.now(), "simulation") for event in self._gateway.published]

    def settle(self):
        """Nothing is delayed here."""


class TestSimulatedGateway(GatewayContract):
    @pytest.fixture
    def clock(self):
        return SimulatedClock(datetime(2026, 11, 22, tzinfo=UTC))

    @pytest.fixture
    def store(self, clock):
        return Store(clock)

    @pytest.fixture
    def gateway(self, store):
        return SimulatedGateway(store)

    @pytest.fixture
    def world(self, store, gateway, clock):
        return SimulatedWorld(store, gateway, clock)
