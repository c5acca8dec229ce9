"""Valid objects with keyword overrides: a test states only what it is about.

Documents are in the API's own words (camelCase JSON), merged into a small valid default; what is given wins,
and ``None`` removes a field.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.types import CapacityType, WeightFormat
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import newest_engine
from costpolicy.catalog.prices import Offering
from costpolicy.kube.gateway import Node, Taint
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.planning.configuration import Configuration
from costpolicy.units import Money

Document = dict[str, Any]

IMAGE = "docker.io/vllm/vllm-openai:v0.32.0"
UID = "00000000-0000-4000-8000-000000000001"
_REPOSITORY = "meta-llama/Llama-3.1-8B-Instruct"


def policy_document(
    name: str = "chat", *, namespace: str = "default", uid: str = UID, generation: int = 1, **spec: Any
) -> Document:
    """A CostPolicy for Llama-3.1-8B with a TTFT objective; keywords are fields of the spec."""
    smallest = {
        "model": {"name": "llama-8b", "source": {"huggingFace": {"repository": _REPOSITORY}}},
        "objectives": {"ttft": {"p95": "500ms"}},
    }
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "generation": generation},
        "spec": merged(smallest, spec),
    }


def policy(name: str = "chat", **keywords: Any) -> CostPolicy:
    """The CostPolicy of :func:`policy_document`."""
    return CostPolicy.model_validate(policy_document(name, **keywords))


def price_book_document(name: str = "prices", **spec: Any) -> Document:
    """A PriceBook with one H100 on demand; keywords are fields of the spec."""
    smallest = {
        "currency": "USD",
        "offerings": [{"accelerator": "nvidia-h100-80gb", "capacityType": "OnDemand", "hourly": "2.50"}],
    }
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "PriceBook",
        "metadata": {"name": name},
        "spec": merged(smallest, spec),
    }


def price_book(name: str = "prices", **keywords: Any) -> PriceBook:
    """The PriceBook of :func:`price_book_document`."""
    return PriceBook.model_validate(price_book_document(name, **keywords))


def configuration(**overrides: Any) -> Configuration:
    """One H100, bf16, everything else the engine's default."""
    fields: Document = {
        "accelerator": "nvidia-h100-80gb",
        "capacity_type": CapacityType.ON_DEMAND,
        "tensor_parallel_size": 1,
        "weights": WeightFormat.BF16,
    }
    return Configuration(**{**fields, **overrides})


def offering(accelerator: str = "nvidia-h100-80gb", hourly: str = "2.50", **overrides: Any) -> Offering:
    """An accelerator on demand."""
    facts = accelerators()[accelerator]
    fields: Document = {
        "accelerator": facts,
        "capacity_type": CapacityType.ON_DEMAND,
        "hourly": Money.parse(hourly),
        "currency": "USD",
        "count": None,
        "node_selector": {},
        "resource_name": facts.resource_name,
        "accelerators_per_node": facts.accelerators_per_node,
        "per_node_stated": False,
        "max_nodes": None,
        "source": "a test",
        "effective_from": datetime(2026, 1, 1, tzinfo=UTC),
        "book": "prices",
    }
    return Offering(**{**fields, **overrides})


def node(name: str = "gpu-1", accelerator: str = "nvidia-h100-80gb", count: int = 8, **overrides: Any) -> Node:
    """A ready node as NVIDIA's device plugin and GPU feature discovery leave it."""
    facts = accelerators()[accelerator]
    label, values = next(iter(facts.node_labels.items()))
    fields: Document = {
        "name": name,
        "labels": {"kubernetes.io/hostname": name, label: values[0]},
        "allocatable": {facts.resource_name: count},
        "taints": (Taint(key=facts.resource_name, value="", effect="NoSchedule"),),
        "unschedulable": False,
        "ready": True,
    }
    return Node(**{**fields, **overrides})


def variant_inputs(**overrides: Any) -> VariantInputs:
    """The inputs of a variant of :func:`policy` in :func:`configuration`."""
    fields: Document = {
        "policy": policy(),
        "configuration": configuration(),
        "engine": newest_engine(),
        "image": IMAGE,
        "startup_budget": timedelta(minutes=15),
    }
    return VariantInputs(**{**fields, **overrides})


def plan_status(**fields: Any) -> Document:
    """A plan as a status shows it: two H100, bf16, 5.00 an hour."""
    two = {
        "accelerator": "nvidia-h100-80gb",
        "capacityType": "OnDemand",
        "acceleratorsPerReplica": 1,
        "tensorParallelSize": 1,
        "weights": "bf16",
        "kvCacheDtype": "auto",
        "replicas": 2,
        "costPerHour": "5.00",
        "currency": "USD",
    }
    return {**two, **fields}


def merged(default: Mapping[str, Any], given: Mapping[str, Any]) -> Document:
    """The default with what is given merged in, mapping by mapping; lists are replaced, ``None`` removes."""
    result = dict(default)
    for key, value in given.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result
