"""The Job that asks two variants the same prompts.

Covered: who is asked, that the command line accepts every argument, prompts from a ConfigMap or a claim, the judging
model's key, the pause, the result, security, names, labels, what makes the Job fail.
Not covered: acceptance by an API server (tests/integration/manifests); a run (tests/contract/engine runs its command).
"""

import argparse
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest

from builders import policy
from costpolicy.api.operation import Prompts
from costpolicy.cli.judging import JUDGE_KEY
from costpolicy.cli.main import parser
from costpolicy.manifests.evaluation_job import (
    CONCURRENCY,
    PAUSE_KEY,
    Contest,
    contest_of,
    evaluation_job,
    evaluation_name,
    pause_map,
    paused_since,
)
from costpolicy.manifests.identity import MANAGED_BY, MANAGED_BY_LABEL, POLICY_LABEL, selector
from costpolicy.manifests.services import variant_service

STABLE, CANARY = "0123456789", "abcdefabcd"
IMAGE = "costpolicy.example/operator:1"
CONFIG_MAP: dict[str, Any] = {"configMapRef": {"name": "questions"}}
MODEL = {
    "type": "Model",
    "model": {
        "baseURL": "https://judge.example/v1",
        "model": "large",
        "apiKeySecretRef": {"name": "judge", "key": "key"},
    },
}


def rendered(
    prompts: dict[str, Any] = CONFIG_MAP, canary: str = CANARY, image: str = IMAGE, name: str = "chat"
) -> dict[str, Any]:
    contest = Contest(baseline=STABLE, canary=canary)
    return evaluation_job(policy(name), Prompts.model_validate(prompts), contest, image)


def pod(job: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def container(job: dict[str, Any]) -> dict[str, Any]:
    [only] = pod(job)["containers"]
    found: dict[str, Any] = only
    return found


def parsed(job: dict[str, Any]) -> argparse.Namespace:
    """What the command line understands of the pod's arguments."""
    *module, command = container(job)["command"]
    assert ["python3", "-m", "costpolicy.cli.main"] == module
    return parser().parse_args([command, *container(job)["args"]])


def test_it_asks_each_variant_through_its_own_service_and_by_the_served_name():
    arguments = parsed(rendered())

    services = [variant_service(policy(), variant)["metadata"]["name"] for variant in (STABLE, CANARY)]
    assert [f"http://{name}:8000" for name in services] == [arguments.baseline, arguments.canary]
    assert ("llama-8b", "Exact", CONCURRENCY) == (arguments.model, arguments.judge, arguments.concurrency)
    assert arguments.max_loss is None  # the Job counts, the operator judges


def test_the_baseline_can_be_asked_twice_before_there_is_a_canary():
    arguments = parsed(rendered(canary=STABLE))

    assert arguments.baseline == arguments.canary


@pytest.mark.parametrize(
    ("source", "volume"),
    [
        (CONFIG_MAP, {"configMap": {"name": "questions"}}),
        (
            {"claimName": "evaluations", "path": "chat/quality.jsonl"},
            {"persistentVolumeClaim": {"claimName": "evaluations", "readOnly": True}},
        ),
    ],
)
def test_prompts_are_read_from_where_the_policy_keeps_them(source: dict[str, Any], volume: dict[str, Any]):
    job = rendered(source)
    [mount] = [one for one in container(job)["volumeMounts"] if one["name"] == "prompts"]

    assert {"name": "prompts", **volume} in pod(job)["volumes"]
    assert f"{mount['mountPath']}/{source.get('path', 'prompts.jsonl')}" == parsed(job).prompts
    assert mount["readOnly"] is True


def test_a_judging_models_key_is_never_an_argument():
    job = rendered({**CONFIG_MAP, "judge": MODEL})
    arguments = parsed(job)

    assert ("Model", "https://judge.example/v1", "large") == (
        arguments.judge,
        arguments.judge_url,
        arguments.judge_model,
    )
    reference = {"secretKeyRef": {"name": "judge", "key": "key"}}
    assert [{"name": JUDGE_KEY, "valueFrom": reference}] == container(job)["env"]


def test_a_key_in_the_config_map_that_is_named_as_the_job_pauses_it():
    job = rendered()
    [mount] = [one for one in container(job)["volumeMounts"] if one["name"] == "pause"]

    assert {"name": "pause", "configMap": {"name": job["metadata"]["name"], "optional": True}} in pod(job)["volumes"]
    assert PurePosixPath(mount["mountPath"], PAUSE_KEY) == PurePosixPath(parsed(job).pause_file)
    assert "subPath" not in mount


def test_the_result_is_the_termination_message():
    job = rendered()

    assert container(job)["terminationMessagePath"] == parsed(job).result
    assert "FallbackToLogsOnError" == container(job)["terminationMessagePolicy"]


def test_wrong_input_fails_at_once_and_a_drained_node_is_no_failure():
    spec = rendered()["spec"]
    ignore, fail = spec["podFailurePolicy"]["rules"]

    assert ("Ignore", "DisruptionTarget") == (ignore["action"], ignore["onPodConditions"][0]["type"])
    assert ("FailJob", [2]) == (fail["action"], fail["onExitCodes"]["values"])
    assert 0 < spec["backoffLimit"] < 6
    assert 0 < spec["activeDeadlineSeconds"]
    assert 0 < spec["ttlSecondsAfterFinished"]
    assert "Never" == spec["template"]["spec"]["restartPolicy"]


def test_its_pod_asks_for_no_right_and_no_accelerator():
    job = rendered()

    assert pod(job)["automountServiceAccountToken"] is False
    assert pod(job)["securityContext"]["runAsNonRoot"] is True
    assert container(job)["securityContext"]["allowPrivilegeEscalation"] is False
    assert {"cpu", "memory"} == set(container(job)["resources"]["requests"])


def test_the_services_never_send_requests_to_it():
    labels = rendered()["spec"]["template"]["metadata"]["labels"]

    assert not selector(policy()).items() <= labels.items()


def test_another_canary_prompts_or_image_is_another_job_and_the_same_is_the_same():
    def named(**changes: Any) -> str:
        name: str = rendered(name="a" * 40, **changes)["metadata"]["name"]
        return name

    others = {named(canary=STABLE), named(image="other"), named(prompts={"claimName": "questions"})}
    assert named() == named()
    assert 4 == len({named()} | others)
    assert 63 >= len(named())


@pytest.mark.parametrize("deletion", ["Delete", "Orphan"])
def test_it_goes_with_its_policy_whatever_becomes_of_what_serves(deletion: str):
    job = evaluation_job(
        policy("chat", deletionPolicy=deletion),
        Prompts.model_validate(CONFIG_MAP),
        Contest(baseline="a", canary="b"),
        IMAGE,
    )
    [owner] = job["metadata"]["ownerReferences"]

    assert ("CostPolicy", "chat") == (owner["kind"], owner["name"])


def test_the_operator_finds_it_again_and_whom_it_asks():
    job = rendered()

    assert (MANAGED_BY, "chat") == tuple(job["metadata"]["labels"][name] for name in (MANAGED_BY_LABEL, POLICY_LABEL))
    assert Contest(baseline=STABLE, canary=CANARY) == contest_of(job)
    assert job["metadata"]["name"] == evaluation_name(
        policy("chat"), Prompts.model_validate(CONFIG_MAP), Contest(baseline=STABLE, canary=CANARY), IMAGE
    )


def test_what_pauses_it_is_named_as_it_and_goes_with_it():
    since = datetime(2026, 11, 2, tzinfo=UTC)
    paused, going_on = pause_map(policy("chat"), "job", "uid", since), pause_map(policy("chat"), "job", "uid", None)

    assert ["job"] == [owner["name"] for owner in paused["metadata"]["ownerReferences"]]
    assert (since, None, None) == tuple(map(paused_since, (paused, going_on, None)))
    assert {PAUSE_KEY} == set(paused["data"])
