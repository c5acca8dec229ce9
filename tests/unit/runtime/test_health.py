"""Probes over HTTP.

Covered: both probes, both answers, what failed.  Not covered: the operator's own checks
(``tests/integration/kube``).
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta

import pytest

from costpolicy.runtime.health import HealthServer, not_longer_than


class Probes:
    def __init__(self) -> None:
        self.stuck = timedelta(0)
        self.unsynced: str | None = "not read yet"
        self.server = HealthServer(
            0,
            liveness={"reconcile": not_longer_than(timedelta(minutes=5), lambda: self.stuck, "one is running")},
            readiness={"synced": lambda: self.unsynced},
        )

    def get(self, path: str) -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}{path}", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, json.load(answer)


@pytest.fixture
def probes() -> Iterator[Probes]:
    started = Probes()
    started.server.start()
    yield started
    started.server.stop()


def test_is_alive_and_unready_before_the_first_sync(probes: Probes) -> None:
    assert probes.get("/healthz") == (200, {"ok": True, "failed": {}})
    assert probes.get("/readyz") == (503, {"ok": False, "failed": {"synced": "not read yet"}})


def test_is_ready_once_synced(probes: Probes) -> None:
    probes.unsynced = None

    assert probes.get("/readyz")[0] == 200


def test_a_hanging_reconcile_is_not_alive(probes: Probes) -> None:
    probes.stuck = timedelta(minutes=6)

    assert probes.get("/healthz") == (503, {"ok": False, "failed": {"reconcile": "one is running for 360 s"}})
