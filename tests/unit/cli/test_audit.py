"""``costpolicy audit`` on expositions that real engines on an H100, an H200 and a CPU left behind.

Covered: counting, subtracting what was counted before, prices, forms of the answer, wrong input.  Not covered: a
Prometheus (tests/contract/observe/test_engine_totals.py), a live engine (tests/contract/engine/test_audited.py).
"""

import io
import json
import re
from pathlib import Path

import pytest
import yaml

from builders import plan_status, policy_document
from costpolicy.cli.console import Console
from costpolicy.cli.main import main

RECORDED = Path(__file__).parents[2] / "data" / "vllm"
H100 = str(RECORDED / "0.25.1-h100-bf16.txt")
ALL = sorted(str(file) for file in RECORDED.glob("*.txt"))
PLANNED = ("--model", "meta-llama/Llama-3.1-8B", "--accelerator", "nvidia-h100-80gb", "--window", "10m")


def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO(stdin))
    code = main(("audit", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def audited(*arguments: str) -> dict[str, dict[str, dict[str, object]]]:
    code, out, _ = run(*arguments, "-o", "json")
    assert 0 == code
    [model] = json.loads(out)["models"]
    return {part: {row["audit"]: row for row in model[part]} for part in ("findings", "kept", "missing")} | {
        "healthy": dict.fromkeys(model["healthy"])
    }


@pytest.mark.parametrize("file", ALL)
def test_benchmarks_of_real_engines_waste_nothing_but_what_never_proposed_a_token(file: str):
    findings = audited("--metrics", file)["findings"]
    assert (["speculation-does-not-pay"] if "ngram" in file else []) == list(findings)


def test_tokens_not_computed_are_those_that_the_engine_counts_as_cached():
    kept = audited("--metrics", H100, *PLANNED)["kept"]["tokens-not-computed"]
    [cached] = re.findall(r"^vllm:prompt_tokens_cached_total{.*} (\S+)$", Path(H100).read_text(), flags=re.MULTILINE)

    assert float(cached) == kept["sparedTokens"]
    assert kept["savesPerMonth"] == "0.00"  # 5 requests a second: one accelerator, with or without the cache
    assert kept["reason"] == "no accelerator goes"
    assert 0 < kept["acceleratorsFreed"] < 1


def test_many_engines_like_it_would_save_money_with_their_cache():
    short = ("--model", "meta-llama/Llama-3.1-8B", "--window", "10s")
    kept = audited("--metrics", H100, *short)["kept"]["tokens-not-computed"]
    assert float(str(kept["savesPerMonth"])) > 0


def test_what_is_past_its_use_is_counted_from_the_histogram():
    found = audited("--metrics", H100, *PLANNED, "--useful-tokens", "100")["findings"]["past-useful-length"]
    # Every answer has about 200 tokens: half of them.
    assert 0.5 == pytest.approx(found["share"], abs=0.005)
    assert "High" == found["confidence"]


def test_an_engine_started_without_its_kernels_on_an_old_release():
    findings = audited("--metrics", H100, "--engine-version", "0.25.1", "--engine-args", "--enforce-eager -tp 1")[
        "findings"
    ]
    assert {"kernels-switched-off", "outdated-engine"} == set(findings)
    assert findings["kernels-switched-off"]["savesPerMonth"] is None


def test_what_eager_mode_costs_is_said_where_there_is_a_model_to_plan_for():
    # As many requests in ten seconds as were sent in ten minutes: a few accelerators.
    busy = ("--model", "meta-llama/Llama-3.1-8B", "--window", "10s", "--engine-args=-cc.mode=0")
    eager = audited("--metrics", H100, *busy)["findings"]["kernels-switched-off"]
    idle = audited("--metrics", H100, *PLANNED, "--engine-args=--enforce-eager")["findings"]["kernels-switched-off"]

    assert float(str(eager["savesPerMonth"])) > 0
    assert "--compilation-config.mode=0" in str(eager["evidence"])
    assert ("0.00", "no accelerator goes", "Low") == (idle["savesPerMonth"], idle["reason"], idle["confidence"])
    assert float(str(idle["acceleratorsFreed"])) > 0


def test_more_accelerators_than_its_load_needs():
    files = [H100] * 4
    held = ("--accelerator", "nvidia-h100-80gb", "--model", "meta-llama/Llama-3.1-8B", "--window", "1h")
    found = audited("--metrics", *files, *held)["findings"]["over-provisioning"]

    assert 3.0 == found["acceleratorsFreed"]
    assert "over-provisioning" in audited("--metrics", H100, *held)["healthy"]


def test_a_policy_says_what_to_plan_for_what_runs_and_what_is_useful(tmp_path: Path):
    document = policy_document(
        "m",
        hardware={"accelerators": ["nvidia-h100-80gb"]},
        techniques={"outputLength": {"maxTokens": 100}},
        engine={"env": [{"name": "NCCL_P2P_DISABLE", "value": "1"}]},
    )
    status = {
        "current": plan_status(
            replicas=5, acceleratorsPerReplica=1, costPerHour="25.00", accelerator="nvidia-h100-80gb"
        )
    }
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump({**document, "status": status}))
    said = audited("--metrics", H100, "-f", str(file), "--window", "1h", "--engine-args", "")

    assert {"past-useful-length", "over-provisioning", "kernels-switched-off"} == set(said["findings"])
    assert 4.0 == said["findings"]["over-provisioning"]["acceleratorsFreed"]


def test_what_was_counted_before_is_subtracted():
    nothing = audited("--metrics", H100, "--before", H100)

    assert {} == nothing["findings"] == nothing["kept"]
    assert "no request finished" in str(nothing["missing"]["max-tokens"])


def test_counters_that_fell_are_those_of_an_engine_that_restarted(tmp_path: Path):
    more = tmp_path / "before.txt"
    more.write_text(Path(H100).read_text().replace("3.625633e+06", "9e+06"))
    assert 2739904 == audited("--metrics", H100, "--before", str(more))["kept"]["tokens-not-computed"]["sparedTokens"]


def test_the_table_tells_findings_and_what_could_not_be_judged():
    code, out, err = run("--metrics", "-", "--useful-tokens", "100", stdin=Path(H100).read_text())

    assert 0 == code
    assert "past-useful-length" in out
    assert "kept: tokens-not-computed" in out
    assert "over-provisioning is not judged: which accelerators are held is not known" in err


def test_a_healthy_engine_is_told_to_be_healthy():
    _, out, _ = run("--metrics", H100)
    assert "no waste found" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--metrics", str(RECORDED / "missing.txt")), "missing.txt: No such file"),
        (("--metrics", str(RECORDED / "README.md")), "README.md"),
        (("--metrics", H100, "--window", "1 hour"), "--window"),
        (("--metrics", H100, "--window", "0s"), "--window must be longer"),
        (("--metrics", H100, "--accelerator", "h100"), "--accelerator: h100 is not one of"),
        (("--metrics", H100, "--engine-version", "1.0"), "--engine-version"),
        (("--metrics", H100, "--env", "A"), "--env: write NAME=VALUE"),
        (("--metrics", H100, "--model", "nobody/knows"), "UnknownModel"),
        (("--metrics", H100, "--model", "meta-llama/Llama-3.1-8B", "--ttft", "soon"), "ttft"),
        (("--prometheus", "http://127.0.0.1:9", "--before", H100), "--before goes with --metrics"),
        (("--prometheus", "localhost"), "is not the address of a Prometheus"),
        (("--prometheus", "http://127.0.0.1:9"), "PrometheusUnreachable"),
    ],
)
def test_wrong_input_ends_with_2_and_says_what_to_do(arguments: tuple[str, ...], message: str):
    code, out, err = run(*arguments)

    assert (2, "") == (code, out)
    assert message in err


def test_something_else_than_vllm_is_refused():
    code, _, err = run("--metrics", "-", stdin="# TYPE up gauge\nup 1\n")

    assert 2 == code
    assert "holds no series of vLLM" in err
