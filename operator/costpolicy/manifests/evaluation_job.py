"""The Job that asks two variants the same prompts; its pod runs ``costpolicy evaluate`` from the operator's own image.

The baseline asked twice says whether the prompts are enough; baseline and canary, whether the canary is no worse.  The
result is the container's termination message (:mod:`costpolicy.quality.result`), so that nobody needs pods' logs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kubernetes import client

from costpolicy.api.operation import Judge, Prompts
from costpolicy.api.policy import CostPolicy
from costpolicy.manifests.container import security_context
from costpolicy.manifests.identity import (
    COMPONENT_LABEL,
    HTTP_PORT,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    POLICY_LABEL,
    Labels,
    fingerprint,
    variant_name,
)
from costpolicy.manifests.metadata import object_meta, owned_by
from costpolicy.manifests.pod import pod_security
from costpolicy.manifests.serialization import Object, to_object
from costpolicy.manifests.weights import model_of
from costpolicy.units import format_time

CONTAINER: Final = "evaluator"
PAUSE_KEY: Final = "pause"
"""Key of the ConfigMap that is named as the Job: while it is there, no prompt is asked."""
CONCURRENCY: Final = 4
"""Prompts at a time: the baseline serves clients meanwhile."""

_BASELINE: Final = "costpolicy.dev/baseline"
_CANARY: Final = "costpolicy.dev/canary"
_KEEP: Final = timedelta(days=1)
_DEADLINE: Final = timedelta(hours=24)
_PROMPTS_PATH: Final = "/prompts"
_PAUSE_PATH: Final = "/pause"
_RESULT_PATH: Final = "/dev/termination-log"
_ATTEMPTS: Final = 3
"""Pods that may fail, because a deployment did not answer in spite of the evaluator's own retries."""
_WRONG_INPUT: Final = 2
"""Exit code of ``costpolicy`` that another attempt would only repeat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Who is asked: hashes of two variants, the same twice to see how far the baseline differs from itself."""

    baseline: str
    canary: str


def evaluation_job(policy: CostPolicy, prompts: Prompts, contest: Contest, image: str) -> Object:
    """Return the Job.  Its name carries a hash of all that matters: a Job cannot be changed once it exists.

    Args:
        policy: whose variants are asked.
        prompts: the policy's ``quality.evaluation.prompts``.
        contest: who is asked.
        image: the operator's own image.
    """
    arguments = _arguments(policy, prompts, contest)
    name = evaluation_name(policy, prompts, contest, image)
    asked = {_BASELINE: contest.baseline, _CANARY: contest.canary}
    metadata = object_meta(policy, name, _own_labels(policy), asked)
    metadata.owner_references = owned_by(policy)  # it serves nobody: whatever happens to the variants, it goes
    return to_object(
        client.V1Job(
            api_version="batch/v1",
            kind="Job",
            metadata=metadata,
            spec=client.V1JobSpec(
                backoff_limit=_ATTEMPTS - 1,
                pod_failure_policy=_failure_policy(),
                active_deadline_seconds=_DEADLINE // timedelta(seconds=1),
                ttl_seconds_after_finished=_KEEP // timedelta(seconds=1),
                template=client.V1PodTemplateSpec(
                    metadata=client.V1ObjectMeta(labels=_labels(policy)),
                    spec=_pod(policy, prompts, arguments, name, image),
                ),
            ),
        )
    )


def evaluation_name(policy: CostPolicy, prompts: Prompts, contest: Contest, image: str) -> str:
    """Return the name of the Job; arguments are those of :func:`evaluation_job`."""
    run = {"run": _arguments(policy, prompts, contest), "image": image, **prompts.to_json()}
    return f"{policy.metadata.name}-evaluation-{fingerprint(run)}"


def paused_since(stored: Object | None) -> datetime | None:
    """Return since when the stored ConfigMap of a Job pauses it; ``None``: it does not."""
    text = ((stored or {}).get("data") or {}).get(PAUSE_KEY)
    return datetime.fromisoformat(text) if text else None


def contest_of(job: Object) -> Contest:
    """Return who is asked by a Job that the operator made."""
    annotations = job["metadata"].get("annotations", {})
    return Contest(baseline=annotations.get(_BASELINE, ""), canary=annotations.get(_CANARY, ""))


def pause_map(policy: CostPolicy, job: str, uid: str, since: datetime | None) -> Object:
    """Return the ConfigMap that pauses a Job since a time, or lets it go on; it goes with the Job, whose identity ``uid`` is."""
    owner = client.V1OwnerReference(api_version="batch/v1", kind="Job", name=job, uid=uid)
    metadata = object_meta(policy, job, _own_labels(policy))
    metadata.owner_references = [owner]
    return to_object(
        client.V1ConfigMap(
            api_version="v1",
            kind="ConfigMap",
            metadata=metadata,
            data={PAUSE_KEY: format_time(since)} if since else None,
        )
    )


def _arguments(policy: CostPolicy, prompts: Prompts, contest: Contest) -> list[str]:
    judge = prompts.judge
    arguments = {
        "--baseline": _address(policy, contest.baseline),
        "--canary": _address(policy, contest.canary),
        "--model": model_of(policy).name,
        "--prompts": f"{_PROMPTS_PATH}/{prompts.path}",
        "--judge": judge.type.value,
        **({"--judge-url": judge.model.base_url, "--judge-model": judge.model.model} if judge.model else {}),
        "--concurrency": str(CONCURRENCY),
        "--pause-file": f"{_PAUSE_PATH}/{PAUSE_KEY}",
        "--result": _RESULT_PATH,
    }
    return [f"{name}={value}" for name, value in arguments.items()]


def _address(policy: CostPolicy, variant: str) -> str:
    """Return the variant's own Service: the policy's would mix the answers of two."""
    return f"http://{variant_name(policy, variant)}:{HTTP_PORT}"


def _labels(policy: CostPolicy) -> Labels:
    """Return the pod's labels, without the policy's own: those select the pods that its Service sends requests to."""
    return {
        "app.kubernetes.io/name": "costpolicy",
        "app.kubernetes.io/instance": policy.metadata.name,
        COMPONENT_LABEL: "evaluation",
    }


def _own_labels(policy: CostPolicy) -> Labels:
    """Return the labels by which the operator finds its Jobs again."""
    return {**_labels(policy), MANAGED_BY_LABEL: MANAGED_BY, POLICY_LABEL: policy.metadata.name}


def _failure_policy() -> client.V1PodFailurePolicy:
    """Return what counts as a failure: not that a node was drained, and wrong input at once."""
    return client.V1PodFailurePolicy(
        rules=[
            client.V1PodFailurePolicyRule(
                action="Ignore",
                on_pod_conditions=[
                    client.V1PodFailurePolicyOnPodConditionsPattern(type="DisruptionTarget", status="True")
                ],
            ),
            client.V1PodFailurePolicyRule(
                action="FailJob",
                on_exit_codes=client.V1PodFailurePolicyOnExitCodesRequirement(
                    container_name=CONTAINER, operator="In", values=[_WRONG_INPUT]
                ),
            ),
        ]
    )


def _pod(policy: CostPolicy, prompts: Prompts, arguments: list[str], name: str, image: str) -> client.V1PodSpec:
    pod = policy.spec.engine.pod
    secrets = pod.image_pull_secrets if pod else ()
    container = client.V1Container(
        name=CONTAINER,
        image=image,
        command=["python3", "-m", "costpolicy.cli.main", "evaluate"],
        args=arguments,
        env=_key(prompts.judge) or None,
        resources=client.V1ResourceRequirements(
            requests={"cpu": "100m", "memory": "128Mi"}, limits={"memory": "512Mi"}
        ),
        security_context=security_context(),
        termination_message_path=_RESULT_PATH,
        # Where there is no result, the end of the log says why.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            client.V1VolumeMount(name="prompts", mount_path=_PROMPTS_PATH, read_only=True),
            client.V1VolumeMount(name="pause", mount_path=_PAUSE_PATH, read_only=True),
        ],
    )
    return client.V1PodSpec(
        containers=[container],
        volumes=[_prompts_volume(prompts), _pause_volume(name)],
        restart_policy="Never",
        termination_grace_period_seconds=5,  # the first process of a container ignores SIGTERM, and nothing is to be saved
        security_context=pod_security(),
        automount_service_account_token=False,
        enable_service_links=False,
        image_pull_secrets=[client.V1LocalObjectReference(name=secret.name) for secret in secrets] or None,
    )


def _key(judge: Judge) -> list[client.V1EnvVar]:
    key = judge.model.api_key_secret_ref if judge.model else None
    if key is None:
        return []
    reference = client.V1SecretKeySelector(name=key.name, key=key.key)
    # The name is costpolicy.cli.judging's JUDGE_KEY, which lies in a layer above this one.
    return [
        client.V1EnvVar(name="COSTPOLICY_JUDGE_API_KEY", value_from=client.V1EnvVarSource(secret_key_ref=reference))
    ]


def _prompts_volume(prompts: Prompts) -> client.V1Volume:
    if prompts.config_map_ref is not None:
        return client.V1Volume(
            name="prompts", config_map=client.V1ConfigMapVolumeSource(name=prompts.config_map_ref.name)
        )
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name=str(prompts.claim_name), read_only=True)
    return client.V1Volume(name="prompts", persistent_volume_claim=claim)


def _pause_volume(name: str) -> client.V1Volume:
    # Mounted as a folder: the kubelet never brings a single file (subPath) up to date.
    return client.V1Volume(name="pause", config_map=client.V1ConfigMapVolumeSource(name=name, optional=True))
