"""The engine's container."""

from datetime import timedelta
from typing import Final

from kubernetes import client

from costpolicy.api.engine import PodSettings
from costpolicy.api.policy import EngineSettings, ModelSource
from costpolicy.manifests.identity import HTTP_PORT, HTTP_PORT_NAME
from costpolicy.manifests.storage import Storage
from costpolicy.manifests.user_settings import typed
from costpolicy.planning.configuration import Configuration

CONTAINER_NAME: Final = "engine"
_STARTUP_PERIOD: Final = timedelta(seconds=5)


def security_context() -> client.V1SecurityContext:
    """Return what Pod Security ``restricted`` asks of a container.

    The root file system stays writable: NVIDIA's container toolkit updates the linker's cache in it at start.
    """
    return client.V1SecurityContext(
        allow_privilege_escalation=False,
        capabilities=client.V1Capabilities(drop=["ALL"]),
        read_only_root_filesystem=False,
    )


def engine_container(
    image: str,
    arguments: tuple[str, ...],
    environment: list[client.V1EnvVar],
    resources: client.V1ResourceRequirements,
    mounts: list[client.V1VolumeMount],
    startup_budget: timedelta,
) -> client.V1Container:
    """Return the container that runs ``vllm serve``."""
    return client.V1Container(
        name=CONTAINER_NAME,
        image=image,
        command=["vllm", "serve"],
        args=list(arguments),
        env=environment,
        ports=[client.V1ContainerPort(name=HTTP_PORT_NAME, container_port=HTTP_PORT)],
        resources=resources,
        # The port refuses connections until the model is loaded, and only then does liveness begin to count.
        startup_probe=_health(period=_STARTUP_PERIOD, timeout=2, failures=-(-startup_budget // _STARTUP_PERIOD)),
        # Out of rotation fast ...
        readiness_probe=_health(period=timedelta(seconds=5), timeout=2, failures=2),
        # ... but slow to kill: a kill costs another load.
        liveness_probe=_health(period=timedelta(seconds=10), timeout=5, failures=6),
        # Puts the end of the log, such as CUDA's out-of-memory error, where the operator may read it.
        termination_message_policy="FallbackToLogsOnError",
        security_context=security_context(),
        volume_mounts=mounts,
    )


def environment_of(storage: Storage, source: ModelSource, settings: EngineSettings) -> list[client.V1EnvVar]:
    """Return the engine's environment, then the user's in the user's order (one may refer to an earlier one).

    Where the user sets a variable of ours, the user's value holds.
    """
    ours = sorted(storage.environment.items())
    variables = {name: client.V1EnvVar(name=name, value=value) for name, value in ours}
    token = source.hugging_face.token_secret_ref if source.hugging_face else None
    if token is not None:
        reference = client.V1SecretKeySelector(name=token.name, key=token.key)
        variables["HF_TOKEN"] = client.V1EnvVar(
            name="HF_TOKEN", value_from=client.V1EnvVarSource(secret_key_ref=reference)
        )
    variables |= {variable.name: typed(client.V1EnvVar, variable) for variable in settings.env}
    return list(variables.values())


def shared_memory_gib(configuration: Configuration) -> int:
    """Return the size of ``/dev/shm``: 1 GiB for each worker that NCCL connects, at least 2; counts as
    memory."""
    return max(2, configuration.accelerators_per_replica)


def resources_of(configuration: Configuration, pod: PodSettings) -> client.V1ResourceRequirements:
    """Return the container's resources: accelerators as planned, CPU and memory the user's if given.

    There is no CPU limit, since throttling shows in time to first token. Memory is reserved in full (an
    engine that is killed for memory loads for minutes again): 6 GiB for the API server and the engine's core,
    4 for each worker's buffers, and shared memory. Both fit the smallest machines that clouds attach one
    accelerator to (4 CPUs, 16 GiB); each API server beyond the first takes a CPU more. Data-parallel ranks are engines
    with a core and an API server each.
    """
    workers, ranks = configuration.accelerators_per_replica, configuration.data_parallel_size
    accelerators = {configuration.resource_name: str(workers)}
    if pod.resources is not None:
        requests = {name: str(amount) for name, amount in pod.resources.requests.items()}
        limits = {name: str(amount) for name, amount in pod.resources.limits.items()}
    else:
        memory = f"{6 * ranks + 4 * workers + shared_memory_gib(configuration)}Gi"
        processes = (configuration.api_servers or ranks) - 1
        requests, limits = {"cpu": str(min(8 * ranks, 2 * workers + processes)), "memory": memory}, {"memory": memory}
    return client.V1ResourceRequirements(requests={**requests, **accelerators}, limits={**limits, **accelerators})


def _health(period: timedelta, timeout: int, failures: int) -> client.V1Probe:
    return client.V1Probe(
        http_get=client.V1HTTPGetAction(path="/health", port=HTTP_PORT_NAME),
        period_seconds=period // timedelta(seconds=1),
        timeout_seconds=timeout,
        failure_threshold=failures,
    )
