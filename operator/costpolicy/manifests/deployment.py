"""The Deployment of a variant, and who writes its number of replicas."""

from copy import deepcopy
from datetime import timedelta
from typing import Final

from kubernetes import client

from costpolicy.manifests.identity import selector, variant_name
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.metadata import object_meta
from costpolicy.manifests.pod import pod_labels, pod_template
from costpolicy.manifests.record import RECORD_ANNOTATION, record_of
from costpolicy.manifests.serialization import Object, to_object

PENDING_ALLOWANCE: Final = timedelta(minutes=30)
"""Starting a node, pulling an image of 10 GB and copying weights out of another come before the engine
starts."""


def deployment(inputs: VariantInputs, variant: str) -> Object:
    """Return the Deployment without ``replicas``: another field manager, or an autoscaler, owns that
    field."""
    policy = inputs.policy
    deadline = inputs.startup_budget + PENDING_ALLOWANCE
    return to_object(
        client.V1Deployment(
            api_version="apps/v1",
            kind="Deployment",
            metadata=object_meta(
                policy,
                variant_name(policy, variant),
                pod_labels(inputs, variant),
                {RECORD_ANNOTATION: record_of(inputs).to_json()},
            ),
            spec=client.V1DeploymentSpec(
                selector=client.V1LabelSelector(match_labels=selector(policy, variant)),
                # Only the field's default would be worse: 25 % of one replica is a second set of
                # accelerators, or none.
                strategy=client.V1DeploymentStrategy(
                    type="RollingUpdate",
                    rolling_update=client.V1RollingUpdateDeployment(max_surge=1, max_unavailable=0),
                ),
                min_ready_seconds=5,
                progress_deadline_seconds=deadline // timedelta(seconds=1),
                revision_history_limit=3,
                template=pod_template(inputs, variant),
            ),
        )
    )


def replicas(name: str, namespace: str, count: int) -> Object:
    """Return what ``costpolicy-replicas`` applies to a Deployment: its number of replicas and nothing
    else."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": count},
    }


def no_replicas(name: str, namespace: str) -> Object:
    """Return what ``costpolicy-replicas`` applies to give up the number of replicas."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace}}


def with_replicas(deployment: Object, count: int) -> Object:
    """Return a Deployment as its creating apply carries it: a field nobody owns would be defaulted to 1."""
    created = deepcopy(deployment)
    created["spec"]["replicas"] = count
    return created
