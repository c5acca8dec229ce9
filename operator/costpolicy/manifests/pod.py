"""The pod template of a variant, revision 1."""

from datetime import timedelta
from typing import Final

from kubernetes import client

from costpolicy.manifests.container import (
    engine_container,
    environment_of,
    resources_of,
    security_context,
    shared_memory_gib,
)
from costpolicy.manifests.identity import ACCELERATOR_LABEL, HTTP_PORT, Labels, selector, variant_labels
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.placement import affinity, node_selector, spread, tolerations
from costpolicy.manifests.stopping import program_annotation, program_volume, stoppable
from costpolicy.manifests.storage import Storage, storage
from costpolicy.manifests.user_settings import typed

VERSION_LABEL: Final = "app.kubernetes.io/version"
_USER: Final = 1000


def pod_template(inputs: VariantInputs, variant: str) -> client.V1PodTemplateSpec:
    """Return the template of the pods of one variant."""
    security = security_context()
    volumes = storage(inputs.source, shared_memory_gib(inputs.configuration), security)
    return client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(
            labels={**inputs.pod.labels, **pod_labels(inputs, variant)},
            annotations={**_scrape_annotations(inputs), **inputs.pod.annotations, **program_annotation()},
        ),
        spec=_pod_spec(inputs, variant, volumes),
    )


def pod_labels(inputs: VariantInputs, variant: str) -> Labels:
    """Return the operator's own labels of a pod; the user's cannot replace them."""
    return {
        **variant_labels(inputs.policy, variant),
        ACCELERATOR_LABEL: inputs.configuration.accelerator,
        VERSION_LABEL: inputs.engine.version,
    }


def _pod_spec(inputs: VariantInputs, variant: str, volumes: Storage) -> client.V1PodSpec:
    configuration, pod = inputs.configuration, inputs.pod
    container = engine_container(
        image=inputs.image,
        arguments=inputs.arguments,
        environment=environment_of(volumes, inputs.source, inputs.policy.spec.engine),
        resources=resources_of(configuration, pod),
        mounts=[*volumes.mounts, *(typed(client.V1VolumeMount, mount) for mount in pod.volume_mounts)],
        startup_budget=inputs.startup_budget,
    )
    return client.V1PodSpec(
        containers=[stoppable(container, inputs.grace)],
        init_containers=_init_containers(inputs, volumes) or None,
        volumes=[*volumes.volumes, program_volume(), *(typed(client.V1Volume, volume) for volume in pod.volumes)],
        node_selector=node_selector(configuration, inputs.products, pod),
        affinity=affinity(configuration, inputs.products, pod),
        tolerations=tolerations(configuration, pod),
        topology_spread_constraints=spread(selector(inputs.policy, variant)) if inputs.spread else None,
        security_context=pod_security(),
        service_account_name=pod.service_account_name,
        automount_service_account_token=False,  # the engine needs no API access
        # A Service called "vllm" would inject VLLM_PORT=tcp://..., which vLLM reads as its port and dies of.
        enable_service_links=False,
        image_pull_secrets=[typed(client.V1LocalObjectReference, secret) for secret in pod.image_pull_secrets] or None,
        priority_class_name=inputs.priority_class_name,
        runtime_class_name=pod.runtime_class_name,
        termination_grace_period_seconds=inputs.grace // timedelta(seconds=1),
    )


def _init_containers(inputs: VariantInputs, volumes: Storage) -> list[client.V1Container]:
    """Return what runs before the engine: the copy of weights, then the user's, restricted unless they say
    more."""
    users = [typed(client.V1Container, setting) for setting in inputs.pod.init_containers]
    for container in users:
        given = container.security_context.model_dump(exclude_none=True) if container.security_context else {}
        container.security_context = security_context().model_copy(update=given)
    return [*volumes.init_containers, *users]


def pod_security() -> client.V1PodSecurityContext:
    """Return what Pod Security ``restricted`` asks of a pod."""
    return client.V1PodSecurityContext(
        run_as_non_root=True,
        run_as_user=_USER,
        run_as_group=_USER,
        fs_group=_USER,
        # Without it the kubelet changes the owner of every file of a volume at every start.
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
    )


def _scrape_annotations(inputs: VariantInputs) -> dict[str, str]:
    if not inputs.scrape_annotations:
        return {}
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(HTTP_PORT),
        "prometheus.io/path": "/metrics",
    }
