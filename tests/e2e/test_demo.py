"""The demo as its reader starts it: it passes as a whole, and it fails at once where the operator does not run.

Covered: the exit codes, and each line of the table that the main job is judged by.
Not covered: what each line says (the demo itself reads and checks every figure), and the start from nothing.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cluster import Cluster

ROOT = Path(__file__).parents[2]
ROWS = (
    "the operator",
    "(a) 8B planned, scheduled",
    "(b) load before",
    "(b) load x 5",
    "(b) promise kept at x 5",
    "(b) load as before",
    "(b) playbook",
    "(b) advice only",
    "(c) real vLLM",
    "(c) in its policy's status",
    "(d) 70B bf16",
    "(d) 70B INT8 accepted",
    "(d) 70B INT8, full context",
)


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "demo", *options]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=840)


def table(output: str) -> str:
    return output.partition("What was seen")[2]


def test_fails_at_the_first_step_when_no_operator_runs(cluster: Cluster):
    done = demo("--operator-replicas=0", "--patience=15")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert "the Deployment costpolicy-operator is available" in done.stdout
    assert "(a)" not in done.stdout


@pytest.mark.timeout(900)
def test_the_main_job_holds_from_end_to_end(cluster: Cluster):
    done = demo()

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    missing = [row for row in ROWS if row not in table(done.stdout)]
    assert [] == missing
    assert "every step held" in done.stdout
