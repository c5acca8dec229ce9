"""The command line: answers, exit codes, and what it says about wrong input.

Covered: plan, render, init and predict without a cluster.  Not covered: ``init`` from a cluster (integration).
"""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from builders import policy_document, price_book_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from spoiled import FILES, spoiled

TRAFFIC = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(arguments, console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


@pytest.fixture
def policy_file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    documents = [
        policy_document(traffic=TRAFFIC, hardware={"accelerators": ["nvidia-h100-80gb"]}),
        price_book_document(),
    ]
    path.write_text(yaml.safe_dump_all(documents))
    return str(path)


def test_plan_answers_in_json_with_the_fixed_names(policy_file: str):
    code, out, _ = run("plan", "-f", policy_file, "-o", "json")
    answer = json.loads(out)

    assert 0 == code
    assert {
        "accelerator",
        "capacityType",
        "acceleratorsPerReplica",
        "replicas",
        "tensorParallelSize",
        "weights",
        "kvCacheDtype",
        "maxNumSeqs",
        "maxNumBatchedTokens",
        "args",
        "costPerHour",
        "costPerMillionTokens",
        "predicted",
    } <= answer["target"].keys()
    assert {"ttftSeconds", "interTokenLatencySeconds", "outputTokensPerSecond", "kvCacheTokens", "weightsBytes"} == set(
        answer["target"]["predicted"]
    )
    assert "2.50" == answer["target"]["costPerHour"]
    assert "default/chat" == answer["policy"]
    assert answer["infeasible"] is None
    assert {"Chosen"} <= {one["verdict"] for one in answer["candidates"]}


def test_plan_of_several_policies_is_a_list(policy_file: str, tmp_path: Path):
    second = tmp_path / "second.yaml"
    second.write_text(yaml.safe_dump(policy_document("code", traffic=TRAFFIC)))
    code, out, _ = run("plan", "-f", policy_file, "-f", str(second), "-o", "json")

    assert 0 == code
    assert ["default/chat", "default/code"] == [plan["policy"] for plan in json.loads(out)["plans"]]


def test_an_answer_of_no_is_exit_1_with_the_answer_on_standard_output(tmp_path: Path):
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(policy_document(objectives={"ttft": {"p95": "1ms"}})))
    code, out, _ = run("plan", "-f", str(path), "-o", "json")

    assert 1 == code
    assert json.loads(out)["target"] is None
    assert "ObjectiveUnreachable" == json.loads(out)["infeasible"]["reason"]
    assert "ease spec.objectives" in json.loads(out)["infeasible"]["message"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"model": {"source": {"huggingFace": {"repository": "example/unknown"}}}},
            "UnknownModel: the catalogue does not know example/unknown; state its sizes in spec.model.architecture",
        ),
        ({"hardware": {"accelerators": ["nvidia-h10"]}}, "did you mean nvidia-h20?"),
        ({"budget": {"hourly": "5", "currency": "EUR"}}, "CurrencyMismatch: spec.budget.currency is EUR"),
        ({"budget": {"hourly": "5", "currency": "eur"}}, "write its three-letter code, such as USD"),
        ({"engine": {"extraArgs": ["--tensor-parallel-size=2"]}}, "ArgumentOwnedByPlan: spec.engine.extraArgs"),
        (
            {"engine": {"extraArgs": ["--no-such-flag"]}},
            "has no such argument and would end with exit code 2; take it out",
        ),
        ({"engine": {"version": "0.5.0"}}, "this operator knows 0.11 to"),
        ({"objectives": {"ttft": {"p95": "-800ms"}}}, "'-800ms' is not a duration: write whole numbers"),
        ({"objectives": {"ttft": {"p95": "soon"}}}, "'soon' is not a duration: write whole numbers"),
        ({"budget": {"hourly": "-5"}}, "'-5' is not an amount of money: write a decimal such as 2.49"),
        ({"budget": {"hourly": "5,00"}}, "'5,00' is not an amount of money: write a decimal such as 2.49"),
        (
            {"model": {"source": {"volume": {"claimName": "c", "path": "p"}}}},
            "needs exactly one of huggingFace, volume",
        ),
        ({"model": {"source": {"huggingFace": None}}}, "needs exactly one of huggingFace, volume"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "render"])
def test_wrong_input_is_exit_2_and_says_what_to_do(tmp_path: Path, command: str, spec: dict, said: str):
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(policy_document(**spec)))
    code, out, err = run(command, "-f", str(path))

    assert 2 == code
    assert "" == out
    assert said in err


def test_a_name_beyond_the_length_limit_is_exit_2_and_at_the_limit_is_planned(tmp_path: Path):
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump(policy_document("a" * 41)))
    code, _, err = run("plan", "-f", str(path))

    assert 2 == code
    assert "the name must not exceed 40 characters" in err

    path.write_text(yaml.safe_dump(policy_document("a" * 40)))
    assert 0 == run("plan", "-f", str(path))[0]


@pytest.mark.parametrize(
    ("book", "said"),
    [
        ("{kind: PriceBook", "not YAML"),
        (yaml.safe_dump(price_book_document(currency="dollars")), "spec.currency"),
        (
            yaml.safe_dump(
                price_book_document(
                    offerings=[{"accelerator": "nvidia-l4", "capacityType": "OnDemand", "hourly": "-0.80"}]
                )
            ),
            "spec.offerings[0].hourly: '-0.80' is not an amount of money: write a decimal such as 2.49",
        ),
    ],
)
def test_a_broken_price_file_is_exit_2_and_says_where(policy_file: str, tmp_path: Path, book: str, said: str):
    path = tmp_path / "prices.yaml"
    path.write_text(book)
    code, out, err = run("plan", "-f", policy_file, "-f", str(path), "-o", "json")

    assert 2 == code
    assert "" == out
    assert f"{path}: " in err
    assert said in err


@pytest.mark.parametrize("file", FILES)
def test_a_broken_catalogue_is_exit_2_and_names_its_file_and_line(policy_file: str, file: str):
    with spoiled(file):
        code, out, err = run("plan", "-f", policy_file, "-o", "json")

    assert 2 == code
    assert "" == out
    assert f"{file}:2: " in err
    assert "install costpolicy again" in err


def test_no_price_for_the_only_accelerator_allowed_is_exit_1_and_says_what_to_add(tmp_path: Path):
    path = tmp_path / "policy.yaml"
    document = policy_document(
        traffic=TRAFFIC, hardware={"accelerators": ["nvidia-h100-80gb"], "capacityTypes": ["Spot"]}
    )
    book = price_book_document(currency="EUR", priority=1, offerings=[])
    path.write_text(yaml.safe_dump_all([document, book]))
    code, out, _ = run("plan", "-f", str(path), "-o", "json")

    assert 1 == code
    assert "NoPrice" == json.loads(out)["infeasible"]["reason"]
    assert "add an offering" in json.loads(out)["infeasible"]["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "-f", "no-such-file.yaml"), "No such file"),
        (("predict", "--points", "no-such-file.csv"), "No such file"),
    ],
)
def test_a_missing_file_is_exit_2(arguments: tuple[str, ...], said: str):
    code, _, err = run(*arguments)

    assert 2 == code
    assert said in err


def test_no_policy_is_exit_2_and_asks_for_one():
    code, _, err = run("plan", "-f", "-", stdin=yaml.safe_dump(price_book_document()))

    assert 2 == code
    assert "no CostPolicy" in err


def test_render_prints_what_would_be_applied(policy_file: str):
    code, out, _ = run("render", "-f", policy_file)
    objects = list(yaml.safe_load_all(out))

    assert 0 == code
    assert ["Deployment", "Service", "Service"] == [item["kind"] for item in objects]
    assert 1 == objects[0]["spec"]["replicas"]


@pytest.mark.parametrize(("provider", "kinds"), [("HPA", ["HorizontalPodAutoscaler"]), ("KEDA", []), ("Operator", [])])
def test_render_prints_the_autoscaler_that_can_be_known_without_a_cluster(
    tmp_path: Path, provider: str, kinds: list[str]
):
    document = policy_document(traffic=TRAFFIC, scaling={"provider": provider, "minReplicas": 2})
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump_all([document, price_book_document()]))
    code, out, _ = run("render", "-f", str(tmp_path / "policy.yaml"))
    scalers = [item for item in yaml.safe_load_all(out) if "scaleTargetRef" in item.get("spec", {})]

    assert 0 == code
    assert kinds == [item["kind"] for item in scalers]
    assert all((2, 10) == (item["spec"]["minReplicas"], item["spec"]["maxReplicas"]) for item in scalers)


def test_render_is_the_same_bytes_every_time(policy_file: str):
    assert run("render", "-f", policy_file) == run("render", "-f", policy_file)


def test_render_prints_a_job_that_measures_the_plan_where_asked(policy_file: str):
    code, out, _ = run("render", "-f", policy_file, "--calibration", "--calibration-image", "mirror.example/load:1")
    config_map, job = yaml.safe_load_all(out)
    rates = [stage["rate"] for stage in yaml.safe_load(config_map["data"]["config.yml"])["load"]["stages"]]

    assert 0 == code
    assert ["ConfigMap", "Job"] == [config_map["kind"], job["kind"]]
    assert 0 < rates[0] < rates[1] < rates[2]
    assert "mirror.example/load:1" == job["spec"]["template"]["spec"]["containers"][0]["image"]


def test_render_prints_the_job_with_the_load_generator_that_is_named(policy_file: str):
    code, out, _ = run("render", "-f", policy_file, "--calibration", "--load-generator", "guidellm")
    config_map, job = yaml.safe_load_all(out)

    assert 0 == code
    assert "guidellm run" in job["spec"]["template"]["spec"]["containers"][0]["command"][-1]
    assert {"stage-1.yml", "stage-2.yml", "stage-3.yml", "check.py"} == set(config_map["data"])


def test_init_makes_a_policy_that_can_be_planned_from_a_deployment(policy_file: str, tmp_path: Path):
    _, rendered, _ = run("render", "-f", policy_file)
    path = tmp_path / "deployment.yaml"
    path.write_text(yaml.safe_dump(next(yaml.safe_load_all(rendered))))
    code, out, _ = run("init", "--from", str(path))

    assert 0 == code
    document = yaml.safe_load(out)
    assert "meta-llama/Llama-3.1-8B-Instruct" == document["spec"]["model"]["source"]["huggingFace"]["repository"]
    assert "llama-8b" == document["spec"]["model"]["name"]
    assert 0 == run("plan", "-f", "-", stdin=out)[0]


def test_init_refuses_what_is_no_engine(tmp_path: Path):
    path = tmp_path / "deployment.yaml"
    container = {"name": "web", "image": "nginx"}
    path.write_text(
        yaml.safe_dump(
            {
                "kind": "Deployment",
                "metadata": {"name": "web"},
                "spec": {"template": {"spec": {"containers": [container]}}},
            }
        )
    )
    code, _, err = run("init", "--from", str(path))

    assert 2 == code
    assert "vllm serve" in err


def test_predict_keeps_a_row_that_it_cannot_answer_and_says_why():
    header = "model,accelerator,tensor_parallel_size,weights,kv_cache_dtype,input_tokens,output_tokens,cached_tokens,concurrency"
    rows = "meta-llama/Llama-3.1-8B,nvidia-h100-80gb,1,bf16,auto,1000,200,0,8\nno/such,nvidia-h100-80gb,1,bf16,auto,1000,200,0,8"
    code, out, _ = run("predict", "--points", "-", "-o", "csv", stdin=f"{header}\n{rows}\n")
    lines = out.splitlines()

    assert 0 == code
    assert lines[0].startswith(
        f"{header},ttft_ms,ttft_p50_ms,itl_ms,itl_p50_ms,output_tokens_per_second,kv_cache_tokens,weights_gib"
    )
    assert 3 == len(lines)
    assert "no/such" in lines[2].rsplit(",,", 1)[-1]


def test_help_imports_neither_the_kubernetes_client_nor_kopf_nor_pydantic():
    script = (
        "import sys; from costpolicy.cli.main import parser; parser().format_help(); "
        "print([name for name in ('kubernetes', 'kopf', 'pydantic', 'rich', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
