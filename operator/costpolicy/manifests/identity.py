"""Names, labels and the hash by which variants are told apart."""

import hashlib
import json
from typing import Any, Final

from costpolicy.api.policy import CostPolicy

MANAGED_BY: Final = "costpolicy-operator"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
POLICY_LABEL: Final = "costpolicy.dev/policy"
VARIANT_LABEL: Final = "costpolicy.dev/variant"
ACCELERATOR_LABEL: Final = "costpolicy.dev/accelerator"
"""On pods: a pending pod says what it waits for, whatever its node affinity looks like."""

ENGINE_COMPONENT: Final = "engine"
HTTP_PORT_NAME: Final = "http"
HTTP_PORT: Final = 8000
"""vLLM's default; ``--port`` is therefore never rendered."""

HASH_LENGTH: Final = 10

Labels = dict[str, str]


def fingerprint(document: dict[str, Any]) -> str:
    """Return the first ten hexadecimal digits of the SHA-256 of a JSON document, whatever the order of its
    keys.

    Forty bits are enough to tell the variants of one policy apart, and short enough to read aloud.
    """
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_LENGTH]


def variant_name(policy: CostPolicy, variant: str) -> str:
    """Return ``<policy>-<hash>``: at most 51 characters, since names of policies end at 40."""
    return f"{policy.metadata.name}-{variant}"


def policy_labels(policy: CostPolicy) -> Labels:
    """Return the labels of every object that belongs to a policy."""
    name = policy.metadata.name
    return {
        "app.kubernetes.io/name": "vllm",
        "app.kubernetes.io/instance": name,
        COMPONENT_LABEL: ENGINE_COMPONENT,
        "app.kubernetes.io/part-of": name,
        MANAGED_BY_LABEL: MANAGED_BY,
        POLICY_LABEL: name,
    }


def variant_labels(policy: CostPolicy, variant: str) -> Labels:
    """Return the labels of every object, and of the pods, of one variant."""
    return {**policy_labels(policy), VARIANT_LABEL: variant}


def selector(policy: CostPolicy, variant: str | None = None) -> Labels:
    """Return what selects the engine pods of a policy, or of one of its variants.

    These labels are in a Deployment's selector, which cannot change: nothing may be here that ever does.
    """
    labels = {POLICY_LABEL: policy.metadata.name}
    return labels if variant is None else {**labels, VARIANT_LABEL: variant}
