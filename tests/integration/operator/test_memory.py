"""What an operator process weighs with a hundred policies.

Covered: resident memory of ``python -m costpolicy.runtime`` after every policy was decided several times.
Not covered: a thousand policies and hours of work (the long ring).
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from costpolicy.kube.kinds import COST_POLICY
from stories import chat
from waiting import wait_until

SOURCE = Path(__file__).parents[3] / "operator"
POLICIES = 100
LIMIT_MIB = 200
"""The promise is 150; a test on a busy machine must not fail for a page cache."""


def test_a_hundred_policies_fit_into_little_memory(cluster, operator_kubeconfig: Path, capsys):
    for number in range(POLICIES):
        cluster.create(chat(f"p{number}", namespace=cluster.namespace, rollout={"mode": "Recommend"}))
    settings = {
        "COSTPOLICY_KUBECONFIG": str(operator_kubeconfig),
        "COSTPOLICY_NAMESPACES": cluster.namespace,
        "COSTPOLICY_LEASE_NAMESPACE": "costpolicy",
        "COSTPOLICY_LEASE_NAME": "costpolicy-operator",
        "COSTPOLICY_IDENTITY": "weighed",
        "COSTPOLICY_RESYNC_INTERVAL": "5s",
        "COSTPOLICY_METRICS_PORT": "0",
        "COSTPOLICY_HEALTH_PORT": "0",
        "COSTPOLICY_LOG_LEVEL": "WARNING",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COSTPOLICY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "costpolicy.runtime"], env={**inherited, "PYTHONPATH": str(SOURCE), **settings}
    )
    try:
        wait_until(lambda: _decided(cluster) == POLICIES, seconds=120)
        most = _resident_mib(process.pid)
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=40)
    finally:
        process.kill()
        process.wait()
    with capsys.disabled():
        print(f"\noperator with {POLICIES} policies: {most:.0f} MiB at most")
    assert LIMIT_MIB > most


def _decided(cluster) -> int:
    listed = cluster.connection.request("GET", COST_POLICY.path(cluster.namespace))["items"]
    return sum("status" in item for item in listed)


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
