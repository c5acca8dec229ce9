"""The operator as a process of its own: start, SIGTERM, exit codes, what it costs.

Covered: ``python -m costpolicy.runtime`` with the real reconciler, its exit codes and its lease after
SIGTERM. Not covered: what it decides (``tests/e2e``).
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from costpolicy.kube.leases import ClusterLease
from waiting import wait_until

SOURCE = Path(__file__).parents[3] / "operator"


def start(**variables: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSTPOLICY_")}
    return subprocess.Popen(
        [sys.executable, "-m", "costpolicy.runtime"],
        env={**environment, "PYTHONPATH": str(SOURCE), **variables},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_releases_the_lease_and_exits_with_zero(kubeconfig: str, connection, world) -> None:
    lease = ClusterLease(connection, world.namespace, "costpolicy-operator")
    process = start(
        COSTPOLICY_KUBECONFIG=kubeconfig,
        COSTPOLICY_NAMESPACES=world.namespace,
        COSTPOLICY_LEASE_NAMESPACE=world.namespace,
        COSTPOLICY_IDENTITY="process",
        COSTPOLICY_METRICS_PORT="0",
        COSTPOLICY_HEALTH_PORT="0",
    )
    try:
        wait_until(lambda: _holder(lease) == "process", seconds=60)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    finally:
        process.kill()

    assert process.returncode == 0, log
    assert _holder(lease) == ""
    assert '"message": "stopped"' in log


def test_a_wrong_setting_is_named_and_exits_with_two() -> None:
    process = start(COSTPOLICY_WORKERS="many")
    _, log = process.communicate(timeout=60)

    assert process.returncode == 2
    assert log.startswith("COSTPOLICY_WORKERS=many: ")


def test_no_cluster_is_said_and_exits_with_one(tmp_path: Path) -> None:
    process = start(COSTPOLICY_KUBECONFIG=str(tmp_path / "nothing"))
    _, log = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "no way to reach a cluster" in log


def _holder(lease: ClusterLease) -> str | None:
    stored = lease.read()
    return None if stored is None else stored.record.holder
