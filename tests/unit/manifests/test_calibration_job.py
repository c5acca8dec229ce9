"""The Job that measures a plan with a load generator.

Covered: loads from the plan, lengths inside the context, shared prefixes, tokenizers, security, names, labels.
Not covered: acceptance by an API server (tests/integration/manifests); a run (no engine with a GPU was at hand); the
configuration against inference-perf's own schema, which needs Python 3.12 and was checked by hand with version 0.7.0.
"""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from builders import configuration, policy
from costpolicy.manifests.calibration_job import LOAD_GENERATOR_IMAGE, CalibrationLoad, calibration_job
from costpolicy.manifests.identity import selector
from costpolicy.planning.demand import Demand

LOAD = CalibrationLoad(
    requests=Demand(requests_per_second=3.0, prompt_tokens=1000.0, output_tokens=250.0, source="Spec"),
    capacity=10.0,
    answer_time=5.0,
    context=8192,
)
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


def test_its_pod_asks_for_no_right_and_no_accelerator():
    _, _, pod = rendered()
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
    def name(load: CalibrationLoad, image: str = LOAD_GENERATOR_IMAGE) -> str:
        return calibration_job(policy("a" * 40), configuration(), load, image)[1]["metadata"]["name"]

    assert name(LOAD) == name(LOAD)
    assert 3 == len({name(LOAD), name(replace(LOAD, capacity=11.0)), name(LOAD, "mirror.example/load:1")})
    assert 63 >= len(name(LOAD))


def test_another_image_can_be_given():
    _, job = calibration_job(policy(), configuration(), LOAD, "mirror.example/load:1")

    assert "mirror.example/load:1" == job["spec"]["template"]["spec"]["containers"][0]["image"]
