"""A route's CronJob on the real API server: accepted, restricted, and its command writes what it proved, with few rights.

Covered: the command in a process of its own with the token of the account that examples/rights makes, over real HTTP to
two servers that answer as models would. Not covered: a CronJob that runs (no node), a real router (tests/router).
"""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from answering import Reply, answering, completion
from cluster.api_server import ApiServer, run_client
from cluster.progress import ClusterError
from costpolicy.manifests.router.calibration_job import ACCOUNT, calibration_cron_job
from routers import full_router, renewal
from storing import missing

EXAMPLE = Path(__file__).parents[3] / "examples" / "rights" / "calibration-account.yaml"
NAMESPACE = "proving"
CRON_JOB = calibration_cron_job(replace(full_router(), namespace=NAMESPACE), renewal())


@pytest.fixture(scope="module")
def namespace(api_server: ApiServer) -> str:
    api_server.kubectl("create", "namespace", NAMESPACE)
    api_server.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    api_server.kubectl("apply", "-n", NAMESPACE, "-f", str(EXAMPLE))
    return NAMESPACE


@pytest.fixture(scope="module")
def account(api_server: ApiServer, namespace: str) -> Path:
    """Kubeconfig of the account of the example."""
    config = yaml.safe_load(api_server.kubeconfig.read_text())
    token = api_server.kubectl("create", "token", ACCOUNT, "-n", namespace).strip()
    config["users"][0]["user"] = {"token": token}
    path = api_server.folder / "calibration.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def samples(folder: Path, count: int) -> None:
    """Write so many samples, of which every tenth is hard."""
    day = folder / "2026-11-29"
    day.mkdir(parents=True)
    for number in range(count):
        text = f"Explain why {number} Theorems Hold, At Length" * 5 if number % 10 == 0 else f"what is {number}"
        line = json.dumps({"messages": [{"role": "user", "content": text}], "metadata": {"feature": "desk"}})
        (day / f"{number:06d}.jsonl").write_text(line + "\n")


def weak(body: dict[str, Any]) -> Reply:
    """A model that fails at what is hard."""
    return completion("?" if "Explain" in body["messages"][-1]["content"] else "fine")


def renew(kubeconfig: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
    program = [sys.executable, "-m", "costpolicy.cli.main", "route", "renew"]
    fixed = ["--samples", str(folder), "--labels", str(folder / "labels" / "small.csv"), "-n", NAMESPACE, "-o", "json"]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    done = subprocess.run([*program, *fixed, *arguments], env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def test_the_api_server_accepts_the_cron_job(api_server: ApiServer, namespace: str, tmp_path: Path):
    meant = CRON_JOB
    path = tmp_path / "job.json"
    path.write_text(json.dumps(meant))
    answer = api_server.kubectl(
        "apply", "--server-side", "--validate=strict", "--dry-run=server", "-o", "json", "-f", str(path)
    )

    assert [] == missing(meant["spec"], json.loads(answer)["spec"], "CronJob")


def test_its_pod_passes_restricted_pod_security(api_server: ApiServer, namespace: str, tmp_path: Path):
    spec = CRON_JOB["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    path = tmp_path / "pod.json"
    metadata = {"name": "renewal", "namespace": namespace}
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))

    assert "pod/renewal created" in api_server.kubectl(
        "create", "--dry-run=server", "--validate=strict", "-f", str(path)
    )


def test_its_command_labels_proves_and_writes_the_config_map(api_server: ApiServer, account: Path, tmp_path: Path):
    samples(tmp_path, 600)
    with answering(lambda _: completion("fine")) as strong, answering(weak) as small:
        addresses = ("--strong-url", strong.url, "--weak-url", small.url, "--per-day", "1000", "--concurrency", "8")
        addresses += ("--strong-prices", "10,20", "--weak-prices", "1,2")
        code, out, err = renew(account, tmp_path, *addresses, "--config-map", "chat-calibration")
        again, second, _ = renew(account, tmp_path, *addresses, "--config-map", "chat-calibration")
    answer, stored = (
        json.loads(out),
        json.loads(api_server.kubectl("get", "configmap", "chat-calibration", "-n", NAMESPACE, "-o", "json")),
    )

    assert (0, 600, "Proven") == (code, answer["made"], answer["calibration"]["verdict"]), err
    assert (0, 0, 600) == (again, json.loads(second)["made"], len(small.asked))
    assert answer["calibration"] == json.loads(stored["data"]["calibration.json"])
    assert {"calibration.json", "coefficients.json", "labelling.json"} == stored["data"].keys()
    last = json.loads(stored["data"]["labelling.json"])
    assert ("0.0858", 0, "0.00") == (answer["cost"], last["made"], last["cost"])


def test_that_nothing_is_proven_is_written_too(api_server: ApiServer, account: Path, tmp_path: Path):
    samples(tmp_path, 20)
    with answering(lambda _: completion("fine")) as strong, answering(weak) as small:
        addresses = ("--strong-url", strong.url, "--weak-url", small.url)
        code, out, _ = renew(account, tmp_path, *addresses, "--config-map", "chat-calibration")
    stored = api_server.kubectl("get", "configmap", "chat-calibration", "-n", NAMESPACE, "-o", "jsonpath={.data}")

    assert (0, "NothingProven") == (code, json.loads(out)["calibration"]["verdict"])
    assert "Nothing is routed" in stored


def test_pairs_of_a_compression_are_written_beside_a_tiers_proof_and_neither_takes_the_other_away(
    api_server: ApiServer, account: Path, tmp_path: Path
):
    samples(tmp_path, 20)
    report = "".join(f"Sentence {number} of the report says little. " for number in range(40))
    for number in range(160):
        messages = [{"role": "user", "content": f"What says {number}?"}, {"role": "assistant", "content": report}]
        (tmp_path / "2026-11-29" / f"9{number:05d}.jsonl").write_text(json.dumps({"messages": messages}) + "\n")
    with answering(lambda _: completion("fine")) as strong, answering(weak) as small:
        asked = ("--strong-url", strong.url, "--concurrency", "8", "--config-map", "chat-calibration")
        compressed = ("--compress-minimum", "500", "--labels", str(tmp_path / "labels" / "compression.csv"))
        renew(account, tmp_path, *asked, "--weak-url", small.url)
        code, out, err = renew(account, tmp_path, *asked, *compressed)
        renew(account, tmp_path, *asked, "--weak-url", small.url)
    stored = json.loads(api_server.kubectl("get", "configmap", "chat-calibration", "-n", NAMESPACE, "-o", "json"))
    written = json.loads(stored["data"]["compression.json"])

    assert (0, 160, "1-500-0.5") == (code, json.loads(out)["made"], written["settings"]), err
    assert {"judged": 160, "lost": 0} == written["pairs"]
    assert "compression loses at most 1.92%" in written["message"]
    assert {"calibration.json", "compression-labelling.json"} < stored["data"].keys()


def test_another_config_map_is_out_of_its_reach(api_server: ApiServer, account: Path, tmp_path: Path):
    api_server.kubectl("create", "configmap", "somebody-elses", "-n", NAMESPACE)
    samples(tmp_path, 5)
    with answering(lambda _: completion("fine")) as strong, answering(weak) as small:
        addresses = ("--strong-url", strong.url, "--weak-url", small.url)
        code, _, err = renew(account, tmp_path, *addresses, "--config-map", "somebody-elses")

    assert 1 == code
    assert "forbidden" in err


@pytest.mark.parametrize(
    ("verb", "resource"), [("get", "secrets"), ("get", "configmaps"), ("list", "pods"), ("create", "pods")]
)
def test_the_account_may_do_nothing_else(account: Path, verb: str, resource: str):
    with pytest.raises(ClusterError, match="no"):
        run_client("kubectl", account, ["auth", "can-i", verb, resource, "-n", NAMESPACE])
