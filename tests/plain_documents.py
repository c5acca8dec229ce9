"""The smallest documents of every kind, as plain data that no model has read."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Document = dict[str, Any]

SOURCE: Document = {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B-Instruct"}}
SPEC: Document = {"model": {"name": "chat", "source": SOURCE}, "objectives": {"ttft": {"p95": "800ms"}}}
ADVISED: Document = {"targetRef": {"name": "vllm"}}
ARCHITECTURE: Document = {
    "layers": 2,
    "hiddenSize": 64,
    "attentionHeads": 4,
    "kvHeads": 2,
    "headSize": 16,
    "intermediateSize": 128,
    "vocabulary": 256,
    "contextLength": 512,
}
OFFERING: Document = {"accelerator": "nvidia-l4", "capacityType": "OnDemand", "hourly": "0.80"}
TIERS: list[Document] = [
    {"name": "small", "policyRef": {"name": "chat"}, "complexityBelow": "0.3"},
    {"name": "large", "external": {"provider": "openai", "model": "gpt-4o"}},
]


def policy(spec: Mapping[str, Any] = SPEC, name: str = "chat") -> Document:
    """Return a CostPolicy document."""
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": name, "namespace": "default"},
        "spec": deepcopy(dict(spec)),
    }


def route(tiers: list[Document] = TIERS, name: str = "chat", **spec: Any) -> Document:
    """Return a ModelRoute document."""
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "ModelRoute",
        "metadata": {"name": name, "namespace": "default"},
        "spec": deepcopy({"tiers": tiers, **spec}),
    }


def book(**spec: Any) -> Document:
    """Return a PriceBook document."""
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "PriceBook",
        "metadata": {"name": "list"},
        "spec": {"currency": "USD", **deepcopy(spec)},
    }


def with_path(document: Document, path: str, value: Any) -> Document:
    """Return a copy of a document with ``spec.<path>`` replaced; missing objects are made."""
    changed = deepcopy(document)
    node = changed["spec"]
    *parents, last = path.split(".")
    for part in parents:
        node = node.setdefault(part, {})
    node[last] = deepcopy(value)
    return changed
