"""The metadata of rendered objects."""

from kubernetes import client

from costpolicy.api.policy import CostPolicy
from costpolicy.api.types import DeletionPolicy


def object_meta(
    policy: CostPolicy, name: str, labels: dict[str, str], annotations: dict[str, str] | None = None
) -> client.V1ObjectMeta:
    """Return the metadata of a policy's child, owned by the policy unless it is to outlive it."""
    return client.V1ObjectMeta(
        name=name,
        namespace=policy.metadata.namespace or None,
        labels=labels,
        annotations=annotations,
        owner_references=_owners(policy),
    )


def _owners(policy: CostPolicy) -> list[client.V1OwnerReference] | None:
    """Return the owner of what serves: with ``deletionPolicy: Orphan`` it keeps serving when the policy is gone."""
    return None if policy.spec.deletion_policy is DeletionPolicy.ORPHAN else owned_by(policy)


def owned_by(policy: CostPolicy) -> list[client.V1OwnerReference] | None:
    """Return the reference by which the cluster collects what goes with its policy.

    A policy that was never stored has no uid and owns nothing.
    """
    if not policy.metadata.uid:
        return None
    return [
        client.V1OwnerReference(
            api_version=policy.api_version,
            kind=policy.kind,
            name=policy.metadata.name,
            uid=policy.metadata.uid,
            controller=True,
            block_owner_deletion=True,
        )
    ]
