"""Where the charts are, what they render and how tests release them; ``python -m charting`` rewrites golden files."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from cluster import binaries
from cluster.api_server import ApiServer, run_client

CHARTS = Path(__file__).parents[1] / "charts"
OPERATOR, CRDS = CHARTS / "costpolicy-operator", CHARTS / "costpolicy-crds"
CASES = Path(__file__).parent / "chart"
SETS = ("default", "namespaced", "everything")

Helm = Callable[..., subprocess.CompletedProcess[str]]


def values_file(name: str) -> Path:
    """Return one of the reviewed sets of values."""
    return CASES / "values" / f"{name}.yaml"


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run helm without a cluster and return the finished process, whatever its exit code."""
    command = [binaries.client("helm"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def template(values: str, *arguments: str) -> str:
    """Return what the operator's chart renders from one of the reviewed sets of values."""
    done = helm("template", "costpolicy-operator", OPERATOR, "-n", "costpolicy", "-f", values_file(values), *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def golden(values: str) -> str:
    """Return the same without rules, dashboards and prices, which have tests of their own and would drown the rest."""
    text = re.sub(r"(?ms)^( *)(groups|offerings):\n.*?(?=^---|\Z)", r"\1\2: ...\n", template(values))
    return re.sub(r"(?ms)^(  costpolicy-\w+\.json): \|\n.*?(?=^---|\Z)", r"\1: ...\n", text)


def release(server: ApiServer, *arguments: str | Path) -> str:
    """Run helm against a cluster, in the namespace of the operator."""
    namespace = ("--namespace", "costpolicy", *(["--create-namespace"] if arguments[0] == "install" else []))
    return run_client("helm", server.kubeconfig, [*map(str, arguments), *namespace])


def grant_operator_rights(server: ApiServer, target: Path) -> Path:
    """Create the chart's ServiceAccount and its roles, and return a kubeconfig of that account, written to ``target``."""
    only = [f"--show-only=templates/{name}.yaml" for name in ("serviceaccount", "rbac")]
    namespace = yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "costpolicy"}})
    server.kubectl("apply", "-f", "-", input=namespace + "---\n" + template("default", *only))
    config = yaml.safe_load(server.kubeconfig.read_text())
    token = server.kubectl("create", "token", "costpolicy-operator", "-n", "costpolicy", "--duration=12h").strip()
    config["users"][0]["user"] = {"token": token}
    target.write_text(yaml.safe_dump(config))
    return target


if __name__ == "__main__":
    for case in SETS:
        (CASES / "golden" / f"{case}.yaml").write_text(golden(case))
