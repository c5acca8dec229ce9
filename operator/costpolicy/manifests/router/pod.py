"""The router's pods: LiteLLM as it comes, with its configuration mounted and nothing else to write to than ``/tmp``."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from kubernetes import client

from costpolicy.manifests.container import security_context
from costpolicy.manifests.identity import HTTP_PORT_NAME
from costpolicy.manifests.placement import spread
from costpolicy.manifests.pod import pod_security
from costpolicy.manifests.router.configuration import configuration_name, router_files
from costpolicy.manifests.router.files import CONFIG_FILE, DRAIN_FILE, FOLDER, samples_folder
from costpolicy.manifests.router.identity import (
    HTTP_PORT,
    METRICS_PORT,
    METRICS_PORT_NAME,
    router_labels,
    router_selector,
)
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.litellm import LONGEST_ANSWER
from costpolicy.manifests.router.secrets import secret_variables
from costpolicy.manifests.stopping import PYTHON_PATH
from costpolicy.manifests.timing import EXIT_MARGIN, IDLE_CONNECTION, PRE_STOP_SLEEP
from costpolicy.manifests.user_settings import typed

CONTAINER_NAME: Final = "router"
_CONFIGURATION: Final = "configuration"
_SCRATCH: Final = "/tmp"  # noqa: S108  # a volume of the pod's own
_SECOND: Final = timedelta(seconds=1)
_TIERS_KEEP: Final = timedelta(seconds=5)
"""How much sooner than engines the router lets go of an idle connection to them."""


VARIABLES: Final[Mapping[str, str]] = {
    # Startup asks nobody outside of the cluster.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_LOG": "WARNING",
    "LITELLM_MIGRATION_DIR": f"{_SCRATCH}/migrations",
    # By default a stream in which one chunk stands a hundred times in a row is ended with an error.
    "REPEATED_STREAMING_CHUNK_LIMIT": "1000000000",
    # It is configured by ModelRoutes, so pages to configure and to try it would only be open doors.
    "DISABLE_ADMIN_UI": "True",
    "NO_DOCS": "True",
    "NO_REDOC": "True",
    "NO_OPENAPI": "True",
    # Clients are to hang up first, and the router before the engines do: who sends on a connection that the other
    # side is just closing loses the request.
    "KEEPALIVE_TIMEOUT": str(IDLE_CONNECTION // _SECOND),
    "AIOHTTP_KEEPALIVE_TIMEOUT": str((IDLE_CONNECTION - _TIERS_KEEP) // _SECOND),
    # A peer that died without a word is noticed although an answer may take minutes.
    "AIOHTTP_SO_KEEPALIVE": "True",
    "HOME": _SCRATCH,
    PYTHON_PATH: FOLDER,
}
"""LiteLLM's environment, but for what comes from Secrets."""


def router_pod(router: Router, *, monitored: bool) -> client.V1PodTemplateSpec:
    """Return the template of the router's pods.

    Args:
        router: what is rendered.
        monitored: whether a PodMonitor finds them; else annotations do.
    """
    return client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=router_labels(), annotations=None if monitored else _scrape_annotations()),
        spec=client.V1PodSpec(
            containers=[_container(router)],
            volumes=_volumes(router),
            topology_spread_constraints=spread(router_selector()),
            security_context=pod_security(),
            automount_service_account_token=False,  # nothing in it asks the API server
            # The first process of a container ignores SIGTERM until it has asked for it. A router that is stopped while it
            # imports LiteLLM would start, serve nobody and hold its place until the grace period ends.
            share_process_namespace=True,
            enable_service_links=False,  # a Service may be called as one of LiteLLM's variables
            image_pull_secrets=[client.V1LocalObjectReference(name=name) for name in router.image_pull_secrets] or None,
            termination_grace_period_seconds=(PRE_STOP_SLEEP + LONGEST_ANSWER + EXIT_MARGIN) // _SECOND,
        ),
    )


def _container(router: Router) -> client.V1Container:
    return client.V1Container(
        name=CONTAINER_NAME,
        image=router.image,
        command=["litellm"],
        args=["--config", f"{FOLDER}/{CONFIG_FILE}", "--port", str(HTTP_PORT)],
        env=_environment(router),
        ports=[
            client.V1ContainerPort(name=HTTP_PORT_NAME, container_port=HTTP_PORT),
            client.V1ContainerPort(name=METRICS_PORT_NAME, container_port=METRICS_PORT),
        ],
        resources=_resources(router),
        # Importing LiteLLM takes a quarter of a minute of one CPU, and longer where it is throttled.
        startup_probe=_probe("/health/liveliness", period=5, timeout=5, failures=60),
        readiness_probe=_probe("/health/readiness", period=5, timeout=5, failures=3),
        # One event loop serves all: under full load it answers late, and a restart would only add to the load.
        liveness_probe=_probe("/health/liveliness", period=10, timeout=10, failures=6),
        lifecycle=_lifecycle(),
        termination_message_policy="FallbackToLogsOnError",
        security_context=security_context().model_copy(update={"read_only_root_filesystem": True}),
        volume_mounts=_mounts(router),
    )


def _environment(router: Router) -> list[client.V1EnvVar]:
    plain = [client.V1EnvVar(name=name, value=value) for name, value in sorted(VARIABLES.items())]
    secret = [
        client.V1EnvVar(
            name=name,
            value_from=client.V1EnvVarSource(
                secret_key_ref=client.V1SecretKeySelector(name=reference.name, key=reference.key)
            ),
        )
        for name, reference in secret_variables(router).items()
    ]
    return [*plain, *secret]


def _resources(router: Router) -> client.V1ResourceRequirements:
    """Return the container's resources: the user's, or one CPU, which answers about 35 requests a second.

    It takes 320 to 360 MiB (LiteLLM 1.106, measured in 2026-11), and the coefficients of scores on top.
    """
    if router.resources is not None:
        return typed(client.V1ResourceRequirements, router.resources)
    return client.V1ResourceRequirements(requests={"cpu": "1", "memory": "512Mi"}, limits={"memory": "1Gi"})


def _lifecycle() -> client.V1Lifecycle:
    """Return the hook that takes the pod out of use before LiteLLM hears of its end: answers that run are finished."""
    times = (PRE_STOP_SLEEP, LONGEST_ANSWER)
    command = ["python3", f"{FOLDER}/{DRAIN_FILE}", str(HTTP_PORT), *(str(time // _SECOND) for time in times)]
    return client.V1Lifecycle.model_validate({"preStop": {"exec": {"command": command}}})


def _mounts(router: Router) -> list[client.V1VolumeMount]:
    return [
        client.V1VolumeMount(name=_CONFIGURATION, mount_path=FOLDER, read_only=True),
        client.V1VolumeMount(name="scratch", mount_path=_SCRATCH),
        *(
            client.V1VolumeMount(name=f"samples-{position}", mount_path=samples_folder(claim))
            for position, claim in enumerate(_claims(router))
        ),
    ]


def _volumes(router: Router) -> list[client.V1Volume]:
    source = client.V1ConfigMapVolumeSource(
        name=configuration_name(router),
        items=[client.V1KeyToPath(key=file.key, path=file.path) for file in router_files(router)],
    )
    return [
        client.V1Volume(name=_CONFIGURATION, config_map=source),
        client.V1Volume(name="scratch", empty_dir=client.V1EmptyDirVolumeSource(size_limit="256Mi")),
        *(
            client.V1Volume(
                name=f"samples-{position}",
                persistent_volume_claim=client.V1PersistentVolumeClaimVolumeSource(claim_name=claim),
            )
            for position, claim in enumerate(_claims(router))
        ),
    ]


def _claims(router: Router) -> tuple[str, ...]:
    """Return the claims that samples go to, each once."""
    return tuple(dict.fromkeys(route.sampling.claim for route in router.routes if route.sampling is not None))


def _probe(path: str, *, period: int, timeout: int, failures: int) -> client.V1Probe:
    return client.V1Probe(
        http_get=client.V1HTTPGetAction(path=path, port=HTTP_PORT_NAME),
        period_seconds=period,
        timeout_seconds=timeout,
        failure_threshold=failures,
    )


def _scrape_annotations() -> dict[str, str]:
    """Return what most configurations of Prometheus look for; they know one port of a pod, and this is the one that counts."""
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(METRICS_PORT),
        "prometheus.io/path": "/metrics",
    }
