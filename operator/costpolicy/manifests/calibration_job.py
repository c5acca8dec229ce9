"""A Job that measures a policy's replicas at loads of its plan, for users who do not want to wait for traffic.

It runs inference-perf against the policy's Service and ends with its reports in its log.  The operator never starts it,
and reads none of it: to calibration its requests are traffic as any other.  Source of the configuration's fields: the
schema of inference-perf 0.7.0 (``inference_perf/config``).
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import yaml
from kubernetes import client

from costpolicy.api.engine import PodSettings
from costpolicy.api.policy import CostPolicy, EngineSettings
from costpolicy.manifests.container import environment_of, security_context
from costpolicy.manifests.identity import HTTP_PORT, Labels, fingerprint
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.mounts import TEMPORARY_PATH
from costpolicy.manifests.pod import pod_security
from costpolicy.manifests.serialization import Object, to_object
from costpolicy.manifests.storage import storage
from costpolicy.manifests.weights import model_of, served_path, served_source
from costpolicy.planning.configuration import Configuration
from costpolicy.planning.demand import Demand

LOAD_GENERATOR_IMAGE: Final = "quay.io/inference-perf/inference-perf:v0.7.0"
"""Releases of inference-perf are published under the tag of their version; give another image where yours is mirrored."""

SHARES: Final = (0.3, 0.6, 0.9)
"""Of the capacity that is predicted for all replicas: nearly idle, usual, and close to what a plan would ask."""

STAGE: Final = timedelta(minutes=5)
_PAUSE: Final = timedelta(seconds=30)
_SLACK: Final = timedelta(minutes=15)
"""For pulling the image, loading the tokenizer, making prompts and letting the last requests finish."""
_KEEP: Final = timedelta(days=1)
_WORKERS: Final = 2
_WIDEST: Final = 1.5
"""Longest over mean token count, where the context allows."""
_SPREAD: Final = 0.6
"""Standard deviation over the distance from mean to longest: with ``_WIDEST`` the 0.3 that predictions assume."""
_MOST_IN_FLIGHT: Final = 2000
_MOST_PROMPTS: Final = 20_000
_CONFIGURATION_PATH: Final = "/etc/calibration"
_RESULTS_PATH: Final = f"{TEMPORARY_PATH}/results"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLoad:
    """What to send.

    Attributes:
        requests: shape of a request; its rate is not used.
        capacity: predicted requests per second of all replicas inside the objectives, more than 0.
        answer_time: predicted seconds of a request at the planned load.
        context: longest sequence of the engine in tokens.
    """

    requests: Demand
    capacity: float
    answer_time: float
    context: int

    @property
    def rates(self) -> tuple[float, ...]:
        """Requests per second of each stage, to three digits."""
        return tuple(float(f"{share * self.capacity:.3g}") for share in SHARES)

    @property
    def in_flight(self) -> int:
        """Requests that may be unanswered at once: twice what the highest rate is predicted to keep."""
        return min(max(8, math.ceil(2 * self.rates[-1] * self.answer_time)), _MOST_IN_FLIGHT)


def calibration_job(
    policy: CostPolicy, configuration: Configuration, load: CalibrationLoad, image: str = LOAD_GENERATOR_IMAGE
) -> tuple[Object, ...]:
    """Return the ConfigMap and the Job.  Their name carries a hash of both: a Job cannot be changed once it exists."""
    settings = yaml.safe_dump(load_configuration(policy, configuration, load), sort_keys=False)
    name = f"{policy.metadata.name}-calibration-{fingerprint({'settings': settings, 'image': image})}"
    labels = _labels(policy)
    config_map = client.V1ConfigMap(
        api_version="v1", kind="ConfigMap", metadata=object_meta(policy, name, labels), data={"config.yml": settings}
    )
    job = client.V1Job(
        api_version="batch/v1",
        kind="Job",
        metadata=object_meta(policy, name, labels),
        spec=client.V1JobSpec(
            backoff_limit=0,  # a second run would meet caches that the first one filled
            active_deadline_seconds=(len(SHARES) * (STAGE + _PAUSE) + _SLACK) // timedelta(seconds=1),
            ttl_seconds_after_finished=_KEEP // timedelta(seconds=1),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels), spec=_pod(policy, configuration, name, image)
            ),
        ),
    )
    return to_object(config_map), to_object(job)


def load_configuration(policy: CostPolicy, configuration: Configuration, load: CalibrationLoad) -> dict[str, Any]:
    """Return inference-perf's configuration: Poisson arrivals, one stage a rate."""
    source = served_source(policy, configuration)
    seconds = STAGE // timedelta(seconds=1)
    return {
        "api": {"type": "completion", "streaming": True},
        "server": {
            "type": "vllm",
            "model_name": model_of(policy).name,
            "base_url": f"http://{policy.metadata.name}:{HTTP_PORT}",
            "ignore_eos": True,
        },
        "tokenizer": {"pretrained_model_name_or_path": served_path(source)},
        "load": {
            "type": "poisson",
            "interval": _PAUSE.total_seconds(),
            "stages": [{"rate": rate, "duration": seconds} for rate in load.rates],
            "num_workers": _WORKERS,
            "worker_max_concurrency": math.ceil(load.in_flight / _WORKERS),
            "base_seed": 1,
        },
        "data": _data(load),
        "report": {"request_lifecycle": {"per_adapter": False}},
        "storage": {"local_storage": {"path": _RESULTS_PATH}},
    }


def _data(load: CalibrationLoad) -> dict[str, Any]:
    requests = load.requests
    widest = max(1.0, min(_WIDEST, load.context / (requests.prompt_tokens + requests.output_tokens)))
    output = _lengths(requests.output_tokens, widest)
    # Each prompt once, as far as that is possible: one that is asked again is cached as a whole.
    prompts = min(math.ceil(sum(load.rates) * STAGE.total_seconds()), _MOST_PROMPTS)
    if requests.cached_tokens < 1:
        prompt = _lengths(requests.prompt_tokens, widest)
        return {
            "type": "random",
            "input_distribution": {**prompt, "total_count": prompts},
            "output_distribution": {**output, "total_count": prompts},
        }
    return {
        "type": "shared_prefix",
        "shared_prefix": {
            "num_unique_system_prompts": 1,
            "num_users_per_system_prompt": prompts,
            "system_prompt_len": round(requests.cached_tokens),
            "question_len": _lengths(requests.prompt_tokens - requests.cached_tokens, widest),
            "output_len": output,
        },
    }


def _lengths(mean: float, widest: float) -> dict[str, Any]:
    return {
        "type": "normal",
        "mean": float(round(mean)),
        "std_dev": float(round(_SPREAD * (widest - 1.0) * mean)),
        "min": max(1, math.floor(mean * (2.0 - widest))),
        "max": max(1, math.floor(mean * widest)),
    }


def _labels(policy: CostPolicy) -> Labels:
    """Return labels without the policy's own: those select the pods that its Service sends requests to."""
    return {
        "app.kubernetes.io/name": "inference-perf",
        "app.kubernetes.io/instance": policy.metadata.name,
        "app.kubernetes.io/component": "calibration",
    }


def _pod(policy: CostPolicy, configuration: Configuration, name: str, image: str) -> client.V1PodSpec:
    source, settings = served_source(policy, configuration), policy.spec.engine.pod or PodSettings()
    volumes = storage(source, 1, security_context())
    mounts = [*volumes.mounts, client.V1VolumeMount(name="settings", mount_path=_CONFIGURATION_PATH, read_only=True)]
    run = f"inference-perf --config_file {_CONFIGURATION_PATH}/config.yml && cat {_RESULTS_PATH}/*.json"
    container = client.V1Container(
        name="load",
        image=image,
        command=["sh", "-c", run],  # reports end in the log: the pod's volumes go with it
        env=environment_of(volumes, source, EngineSettings()),
        resources=client.V1ResourceRequirements(
            requests={"cpu": str(_WORKERS), "memory": "2Gi"}, limits={"memory": "4Gi"}
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
