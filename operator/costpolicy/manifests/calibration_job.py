"""A Job that measures a policy's replicas at loads of its plan, for users who do not want to wait for traffic.

It runs a load generator against the policy's Service and ends with its reports in its log.  The operator never starts
it, and reads none of it: to calibration its requests are traffic as any other.
"""

from datetime import timedelta
from typing import Final, assert_never

from kubernetes import client

from costpolicy.api.engine import PodSettings
from costpolicy.api.policy import CostPolicy, EngineSettings
from costpolicy.manifests.calibration_load import (
    CONFIGURATION_PATH,
    PAUSE,
    SHARES,
    STAGE,
    WORKERS,
    CalibrationLoad,
    LoadGenerator,
    LoadProgram,
    LoadTarget,
)
from costpolicy.manifests.container import environment_of, security_context
from costpolicy.manifests.guidellm import guidellm
from costpolicy.manifests.identity import HTTP_PORT, Labels, fingerprint
from costpolicy.manifests.inference_perf import inference_perf
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.pod import pod_security
from costpolicy.manifests.serialization import Object, to_object
from costpolicy.manifests.storage import storage
from costpolicy.manifests.weights import model_of, served_path, served_source
from costpolicy.planning.configuration import Configuration

_SLACK: Final = timedelta(minutes=15)
"""For pulling the image, loading the tokenizer, making prompts and letting the last requests finish."""
_KEEP: Final = timedelta(days=1)


def calibration_job(
    policy: CostPolicy,
    configuration: Configuration,
    load: CalibrationLoad,
    generator: LoadGenerator = "inference-perf",
    image: str | None = None,
) -> tuple[Object, ...]:
    """Return the ConfigMap and the Job.  Their name carries a hash of both: a Job cannot be changed once it exists.

    ``image`` stands in for the load generator's own, where that is mirrored.
    """
    program = load_program(policy, configuration, load, generator)
    image = image or program.image
    name = (
        f"{policy.metadata.name}-calibration-{fingerprint({**program.files, 'run': program.command, 'image': image})}"
    )
    labels = _labels(policy, generator)
    config_map = client.V1ConfigMap(
        api_version="v1", kind="ConfigMap", metadata=object_meta(policy, name, labels), data=dict(program.files)
    )
    job = client.V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=object_meta(policy, name, labels),
        spec=client.V1JobSpec(
            backoff_limit=0,  # a second run would meet caches that the first one filled
            active_deadline_seconds=(len(SHARES) * (STAGE + PAUSE) + _SLACK) // timedelta(seconds=1),
            ttl_seconds_after_finished=_KEEP // timedelta(seconds=1),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels), spec=_pod(policy, configuration, name, image, program)
            ),
        ),
    )
    return to_object(config_map), to_object(job)


def load_program(
    policy: CostPolicy, configuration: Configuration, load: CalibrationLoad, generator: LoadGenerator
) -> LoadProgram:
    """Return the load generator with its settings for this policy's Service."""
    target = LoadTarget(
        url=f"http://{policy.metadata.name}:{HTTP_PORT}",
        model=model_of(policy).name,
        tokenizer=served_path(served_source(policy, configuration)),
    )
    match generator:
        case "inference-perf":
            return inference_perf(target, load)
        case "guidellm":
            return guidellm(target, load)
        case _:
            assert_never(generator)


def _labels(policy: CostPolicy, generator: LoadGenerator) -> Labels:
    """Return labels without the policy's own: those select the pods that its Service sends requests to."""
    return {
        "app.kubernetes.io/name": generator,
        "app.kubernetes.io/instance": policy.metadata.name,
        "app.kubernetes.io/component": "calibration",
    }


def _pod(
    policy: CostPolicy, configuration: Configuration, name: str, image: str, program: LoadProgram
) -> client.V1PodSpec:
    source, settings = served_source(policy, configuration), policy.spec.engine.pod or PodSettings()
    volumes = storage(source, 1, security_context())
    mounts = [*volumes.mounts, client.V1VolumeMount(name="settings", mount_path=CONFIGURATION_PATH, read_only=True)]
    variables = [client.V1EnvVar(name=key, value=value) for key, value in program.environment.items()]
    container = client.V1Container(
        name="load",
        image=image,
        command=["sh", "-c", program.command],
        env=[*environment_of(volumes, source, EngineSettings()), *variables],
        resources=client.V1ResourceRequirements(
            requests={"cpu": str(WORKERS), "memory": "2Gi"}, limits={"memory": "4Gi"}
        ),
        security_context=security_context(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=mounts,
    )
    settings_volume = client.V1Volume(name="settings", config_map=client.V1ConfigMapVolumeSource(name=name))
    return client.V1PodSpec(
        containers=[container],
        init_containers=volumes.init_containers or None,
        volumes=[*volumes.volumes, settings_volume],
        restart_policy="Never",
        security_context=pod_security(),
        automount_service_account_token=False,
        enable_service_links=False,
        image_pull_secrets=[client.V1LocalObjectReference(name=secret.name) for secret in settings.image_pull_secrets]
        or None,
    )
