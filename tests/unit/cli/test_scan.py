"""``scan``, ``init`` and ``render --patch`` over files: answers, exit codes and what is said about wrong input.

Not covered: a cluster (tests/integration/kube/test_scan), a Prometheus (tests/contract/observe/test_deployed).
"""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import policy_document, price_book_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from foreign import container, deployment

SEVENTY = ["--model", "meta-llama/Llama-3.1-70B-Instruct", "--tensor-parallel-size", "4", "--enforce-eager"]
SELECTOR = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
POLICY = policy_document("theirs", model=None, targetRef={"name": "theirs"})


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(arguments, console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def big(**pod: Any) -> dict[str, Any]:
    return deployment(container(SEVENTY, gpus=4), replicas=2, **{"nodeSelector": SELECTOR, **pod})


@pytest.fixture
def file(tmp_path: Path):
    def written(*documents: dict[str, Any], name: str = "deployments.yaml") -> str:
        (tmp_path / name).write_text(yaml.safe_dump_all(documents))
        return str(tmp_path / name)

    return written


def test_each_engine_is_a_row_with_its_price_waste_and_best_change(file):
    prices = file(price_book_document(), name="prices.yaml")
    web = deployment({"name": "web", "image": "nginx"}, name="web")
    code, out, _ = run("scan", "-f", file(big(), web), "--prices", prices, "-o", "json")
    answer = json.loads(out)
    [row] = answer["deployments"]

    assert 0 == code
    assert ("default/theirs", 2, 8, "20.00") == (
        row["deployment"],
        row["replicas"],
        row["accelerators"],
        row["costPerHour"],
    )
    assert ["EagerMode"] == [one["finding"] for one in row["waste"]]
    change = row["bestChange"]
    assert 20.0 == float(change["costPerHour"]) + float(change["savesPerHour"])
    assert round(730 * float(change["savesPerHour"]), 2) == float(change["savesPerMonth"])
    assert change["needsQualityProof"] is True
    assert ("Assumed", 1000, 250) == (
        row["traffic"]["source"],
        row["traffic"]["promptTokens"],
        row["traffic"]["outputTokens"],
    )
    assert ("20.00", "14600.00", "USD") == (answer["costPerHour"], answer["costPerMonth"], answer["currency"])
    assumed = " ".join(answer["assumptions"])
    for text in ("TTFT p95 of 1s", "no metrics", "only what each Deployment runs on"):
        assert text in assumed


def test_what_is_not_known_is_null_with_its_reason(file):
    _, out, _ = run("scan", "-f", file(big(nodeSelector={})), "-o", "json")
    [row] = json.loads(out)["deployments"]

    assert (None, None, None) == (row["costPerHour"], row["accelerator"], row["bestChange"])
    assert any("does not name an accelerator" in one for one in row["unknown"])


def test_the_largest_saving_comes_first(file):
    small = deployment(container(gpus=1), name="a-small", nodeSelector=SELECTOR)
    _, out, _ = run("scan", "-f", file(small, big()), "-o", "json")

    assert ["default/theirs", "default/a-small"] == [one["deployment"] for one in json.loads(out)["deployments"]]


def test_the_table_says_the_same(file):
    code, out, _ = run("scan", "-f", file(big()))

    assert 0 == code
    for text in ("default/theirs", "fp8 weights", "--enforce-eager switches off CUDA graphs", "together", "assumed:"):
        assert text in out


def test_a_list_of_objects_is_read_too(file):
    listed = {"apiVersion": "v1", "kind": "List", "items": [big(), {"kind": "Service", "metadata": {"name": "x"}}]}
    _, out, _ = run("scan", "-f", file(listed), "-o", "json")

    assert 1 == len(json.loads(out)["deployments"])


def test_no_engine_is_an_empty_answer(file):
    code, out, err = run("scan", "-f", file(deployment({"name": "web", "image": "nginx"})))

    assert 0 == code
    assert "no Deployment here runs vLLM" in err
    assert "together" not in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--ttft", "soon"), "'soon' is not a duration"),
        (("--prometheus", "somewhere"), "is not the address of a Prometheus"),
        (("--prometheus", "http://127.0.0.1:9", "--matchers", "x"), "is not a list of label matchers"),
        (("--prices", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_wrong_input_to_scan_is_exit_2(file, arguments: tuple[str, ...], says: str):
    code, out, err = run("scan", "-f", file(big()), *arguments)

    assert (2, "") == (code, out)
    assert says in err


@pytest.mark.parametrize(("text", "says"), [("{", "not YAML"), ("kind: Service", "holds no Deployment")])
@pytest.mark.parametrize("command", [("scan", "-f"), ("init", "--from")])
def test_a_file_without_a_deployment_is_exit_2(tmp_path: Path, command: tuple[str, str], text: str, says: str):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    code, _, err = run(*command, str(path))

    assert 2 == code
    assert says in err


def test_init_orders_what_runs_and_plan_answers_with_it(file):
    code, out, err = run("init", "--from", file(big()))

    assert 0 == code
    assert "take them out to be shown what is cheaper" in err
    _, planned, _ = run("plan", "-f", "-", "-o", "json", stdin=out)
    target = json.loads(planned)["target"]
    assert ("nvidia-h100-80gb", 4, 2, "bf16") == (
        target["accelerator"],
        target["acceleratorsPerReplica"],
        target["replicas"],
        target["weights"],
    )
    assert "--enforce-eager" in target["args"]


def test_init_leaves_open_what_it_cannot_know(file):
    code, out, err = run("init", "--from", file(big(nodeSelector={})))

    assert 0 == code
    assert "hardware and techniques are left open" in err
    assert "hardware" not in yaml.safe_load(out)["spec"]


def test_init_can_leave_the_deployment_to_its_owner(file):
    code, out, _ = run("init", "--from", file(big()), "--advise", "--itl", "50ms")
    spec = yaml.safe_load(out)["spec"]

    assert 0 == code
    assert "theirs" == spec["targetRef"]["name"]
    assert {"ttft": {"p95": "1s"}, "interTokenLatency": {"p95": "50ms"}} == spec["objectives"]


def test_init_says_where_weights_have_to_be_named(file):
    box = container(["--model", "/data/llama"], gpus=1)
    code, _, err = run("init", "--from", file(deployment(box, nodeSelector=SELECTOR)))

    assert 2 == code
    assert "state spec.model.source yourself; or advise on it as it is (--advise)" in err


def test_render_patch_prints_the_change_for_git(file):
    code, out, err = run(
        "render", "--patch", "-f", file(POLICY, price_book_document(), name="policy.yaml"), "--from", file(big())
    )
    patch = yaml.safe_load(out)

    assert 0 == code
    assert ("Deployment", "theirs") == (patch["kind"], patch["metadata"]["name"])
    [box] = patch["spec"]["template"]["spec"]["containers"]
    assert "--enforce-eager" in box["args"]
    assert any(word.startswith("--quantization=") for word in box["args"])
    assert "prove quality before you merge it" in err
    assert "a month" in err


def test_render_patch_without_a_cheaper_plan_is_exit_1(file):
    cheap = container(["--model", "meta-llama/Llama-3.1-8B-Instruct", "--quantization=fp8"], gpus=1)
    code, out, err = run(
        "render", "--patch", "-f", file(POLICY, name="p.yaml"), "--from", file(deployment(cheap, nodeSelector=SELECTOR))
    )

    assert (1, "") == (code, out)
    assert "nothing to change" in err


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (policy_document("chat"), "has no targetRef"),
        (policy_document("x", model=None, targetRef={"name": "other"}), "there is no Deployment default/other"),
    ],
)
def test_render_patch_says_what_is_missing(file, policy: dict[str, Any], says: str):
    code, _, err = run("render", "--patch", "-f", file(policy, name="policy.yaml"), "--from", file(big()))

    assert 2 == code
    assert says in err


def test_render_patch_of_a_script_is_exit_1_with_the_arguments_to_change(file):
    box = container([f"vllm serve {' '.join(SEVENTY[1:])}"], command=["sh", "-c"], gpus=4)
    code, _, err = run(
        "render", "--patch", "-f", file(POLICY, name="p.yaml"), "--from", file(deployment(box, nodeSelector=SELECTOR))
    )

    assert 1 == code
    assert "in a script; change there: --" in err
    assert "--quantization=fp8_per_tensor" in err
