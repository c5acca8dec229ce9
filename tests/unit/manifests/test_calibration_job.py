"""The Job that measures a plan with a load generator.

Covered: loads from the plan, lengths inside the context, shared prefixes, tokenizers, security, names, labels, options
that the load generators accept (tests/data/load_generators), and what makes the Job fail.
Not covered: acceptance by an API server (tests/integration/manifests); a run, which needs the load generators: both were
run by hand against the CPU engine of the tests, as docs/how-to/measure.md says.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from builders import configuration, policy
from costpolicy.manifests.calibration_job import calibration_job, load_program
from costpolicy.manifests.calibration_load import CalibrationLoad, LoadGenerator
from costpolicy.manifests.identity import selector
from costpolicy.planning.demand import Demand

LOAD = CalibrationLoad(
    requests=Demand(requests_per_second=3.0, prompt_tokens=1000.0, output_tokens=250.0, source="Spec"),
    capacity=10.0,
    answer_time=5.0,
    context=8192,
)
GENERATORS = get_args(LoadGenerator)
ACCEPTED = {
    "inference-perf": "inference-perf-0.7.0.json",
    "guidellm": "guidellm-0.8.1.json",
}
SHARED = replace(LOAD.requests, cached_tokens=800.0)


def rendered(load: CalibrationLoad = LOAD, **spec: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Settings of the load generator, the Job, and its pod."""
    config_map, job = calibration_job(policy(**spec), configuration(), load)
    assert config_map["metadata"]["name"] == job["metadata"]["name"]
    return yaml.safe_load(config_map["data"]["config.yml"]), job, job["spec"]["template"]["spec"]


def test_it_sends_thirty_sixty_and_ninety_percent_of_the_predicted_capacity_as_random_arrivals():
    settings, _, _ = rendered()

    assert "poisson" == settings["load"]["type"]
    assert [3.0, 6.0, 9.0] == [stage["rate"] for stage in settings["load"]["stages"]]
    assert "http://chat:8000" == settings["server"]["base_url"]
    assert "llama-8b" == settings["server"]["model_name"]
    assert settings["api"]["streaming"] is True


def test_requests_in_flight_are_limited():
    settings, _, _ = rendered()
    assert 2 * 9 * 5 == settings["load"]["num_workers"] * settings["load"]["worker_max_concurrency"]

    slow, _, _ = rendered(replace(LOAD, answer_time=1e6))
    assert 2000 == slow["load"]["num_workers"] * slow["load"]["worker_max_concurrency"]


def test_the_job_ends_by_itself_and_is_not_tried_again():
    _, job, pod = rendered()

    assert 0 == job["spec"]["backoffLimit"]
    assert 3 * 300 < job["spec"]["activeDeadlineSeconds"] < 3600
    assert 0 < job["spec"]["ttlSecondsAfterFinished"]
    assert "Never" == pod["restartPolicy"]


@pytest.mark.parametrize("context", [8192, 1500, 1250])
def test_no_request_is_longer_than_the_context(context: int):
    settings, _, _ = rendered(replace(LOAD, context=context))
    prompt, output = settings["data"]["input_distribution"], settings["data"]["output_distribution"]

    assert prompt["max"] + output["max"] <= context
    assert (1000.0, 250.0) == (prompt["mean"], output["mean"])
    assert prompt["min"] <= prompt["mean"] <= prompt["max"]


def test_prompts_are_not_asked_again():
    settings, _, _ = rendered()

    assert 300 * (3 + 6 + 9) == settings["data"]["input_distribution"]["total_count"]


def test_a_shared_prefix_is_sent_as_one():
    settings, _, _ = rendered(replace(LOAD, requests=SHARED))
    shared = settings["data"]["shared_prefix"]

    assert (1, 800, 200.0) == (
        shared["num_unique_system_prompts"],
        shared["system_prompt_len"],
        shared["question_len"]["mean"],
    )


def test_the_policys_service_never_sends_requests_to_the_load_generator():
    _, job, _ = rendered()
    labels = job["spec"]["template"]["metadata"]["labels"]

    assert not selector(policy()).items() <= labels.items()


@pytest.mark.parametrize("generator", GENERATORS)
def test_its_pod_asks_for_no_right_and_no_accelerator(generator: LoadGenerator):
    pod = calibration_job(policy(), configuration(), LOAD, generator)[1]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert (True, 1000) == (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"])
    assert "RuntimeDefault" == pod["securityContext"]["seccompProfile"]["type"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert {"drop": ["ALL"]} == container["securityContext"]["capabilities"]
    assert {"cpu", "memory"} == set(container["resources"]["requests"])


def test_the_tokenizer_is_that_of_the_weights():
    gated = {"huggingFace": {"tokenSecretRef": {"name": "hub", "key": "token"}}}
    settings, _, pod = rendered(model={"source": gated})
    assert "meta-llama/Llama-3.1-8B-Instruct" == settings["tokenizer"]["pretrained_model_name_or_path"]
    variables = {variable["name"]: variable for variable in pod["containers"][0]["env"]}
    assert {"name": "hub", "key": "token"} == variables["HF_TOKEN"]["valueFrom"]["secretKeyRef"]

    claim = {"huggingFace": None, "volume": {"claimName": "models", "path": "llama"}}
    settings, _, pod = rendered(model={"source": claim})
    assert "/models/llama" == settings["tokenizer"]["pretrained_model_name_or_path"]
    assert {"claimName": "models", "readOnly": True} in [
        volume.get("persistentVolumeClaim") for volume in pod["volumes"]
    ]


def test_another_load_or_image_is_another_job_and_the_same_is_the_same():
    def name(load: CalibrationLoad, generator: LoadGenerator = "inference-perf", image: str | None = None) -> str:
        return calibration_job(policy("a" * 40), configuration(), load, generator, image)[1]["metadata"]["name"]

    assert name(LOAD) == name(LOAD)
    others = {name(replace(LOAD, capacity=11.0)), name(LOAD, "guidellm"), name(LOAD, image="mirror.example/load:1")}
    assert 4 == len({name(LOAD)} | others)
    assert 63 >= len(name(LOAD))


def test_another_image_can_be_given():
    _, job = calibration_job(policy(), configuration(), LOAD, image="mirror.example/load:1")

    assert "mirror.example/load:1" == job["spec"]["template"]["spec"]["containers"][0]["image"]


def files(generator: LoadGenerator, load: CalibrationLoad = LOAD) -> dict[str, str]:
    return dict(load_program(policy(), configuration(), load, generator).files)


def stages(load: CalibrationLoad = LOAD) -> list[dict[str, Any]]:
    """Scenarios of guidellm."""
    return [yaml.safe_load(text)["spec"] for name, text in files("guidellm", load).items() if name.startswith("stage")]


def sections(settings: Any, path: str = "") -> dict[str, list[tuple[str, Any]]]:
    """Fields with their values, by the path of the mapping that they are in; items of a list share one path."""
    if isinstance(settings, list):
        parts = [sections(item, f"{path}[]") for item in settings]
    elif isinstance(settings, dict):
        parts = [{path: list(settings.items())}]
        parts += [sections(value, f"{path}.{name}".strip(".")) for name, value in settings.items()]
    else:
        return {}
    found: dict[str, list[tuple[str, Any]]] = {}
    for part in parts:
        for where, fields in part.items():
            found.setdefault(where, []).extend(fields)
    return found


@pytest.mark.parametrize("load", [LOAD, replace(LOAD, requests=SHARED), replace(LOAD, context=1250)])
@pytest.mark.parametrize("generator", GENERATORS)
def test_the_load_generator_accepts_every_option(generator: LoadGenerator, load: CalibrationLoad):
    accepted = json.loads(Path("tests/data/load_generators", ACCEPTED[generator]).read_text())["sections"]
    read = 0
    for name, text in files(generator, load).items():
        if not name.endswith(".yml"):
            continue
        for path, fields in sections(yaml.safe_load(text)).items():
            for field, value in fields:
                assert field in accepted[path], f"{path}.{field} is no option of {generator}"
                assert accepted[path][field] is None or value in accepted[path][field], f"{path}.{field}: {value}"
                read += 1
    assert 20 < read


def test_guidellm_sends_the_same_load_as_inference_perf():
    settings, _, _ = rendered(replace(LOAD, requests=SHARED))
    shared = settings["data"]["shared_prefix"]
    scenarios = stages(replace(LOAD, requests=SHARED))

    assert [[stage["rate"]] for stage in settings["load"]["stages"]] == [one["profile"]["rate"] for one in scenarios]
    for scenario in scenarios:
        (data,) = scenario["data"]
        assert "poisson" == scenario["profile"]["kind"]
        assert settings["load"]["stages"][0]["duration"] == scenario["constraints"][0]["seconds"]
        assert settings["server"]["base_url"] == scenario["backend"]["target"]
        assert settings["server"]["model_name"] == scenario["backend"]["model"]
        assert settings["tokenizer"]["pretrained_model_name_or_path"] == scenario["tokenizer"]["model"]
        assert (shared["system_prompt_len"], 1) == (data["prefix_tokens"], data["prefix_count"])
        for theirs, ours in ((shared["question_len"], "prompt_tokens"), (shared["output_len"], "output_tokens")):
            lengths = [data[f"{ours}{part}"] for part in ("", "_stdev", "_min", "_max")]
            assert [theirs["mean"], theirs["std_dev"], theirs["min"], theirs["max"]] == lengths
        assert 2 * 9 * 5 == scenario["profile"]["max_concurrency"]


def test_guidellm_asks_other_prompts_in_each_stage():
    assert 3 == len({scenario["seed"]["value"] for scenario in stages()})


def test_guidellm_sends_equal_lengths_where_the_context_leaves_no_room():
    (data,) = stages(replace(LOAD, context=1250))[0]["data"]

    assert "prompt_tokens_stdev" not in data  # 0 is refused
    assert (1000, 1000) == (data["prompt_tokens"], data["prompt_tokens_max"])


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(("answered", "failed", "code"), [(100, 10, 0), (100, 11, 1), (0, 5, 1), (0, 0, 1)])
def test_the_job_fails_where_too_few_requests_were_answered(
    generator: LoadGenerator, answered: int, failed: int, code: int, tmp_path: Path
):
    report = tmp_path / "report.json"
    totals = {"successful": answered, "errored": failed}
    report.write_text(
        json.dumps(
            {
                "successes": {"count": answered},
                "failures": {"count": failed},
                "benchmarks": [{"metrics": {"request_totals": totals}}],
            }
        )
    )
    check = files(generator)["check.py"].replace("/tmp/results/summary_lifecycle_metrics.json", str(report))
    ended = subprocess.run([sys.executable, "-c", check, str(report)], capture_output=True, text=True, check=False)

    assert code == ended.returncode, ended.stderr
    assert ("too few requests were answered" in ended.stderr) is bool(code)
