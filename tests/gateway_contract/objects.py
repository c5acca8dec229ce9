"""Objects of the shapes that the operator meets and makes, and questions about them."""

from typing import Any

from costpolicy.kube.gateway import MANAGED_BY, MANAGED_BY_LABEL, POLICY_LABEL, VARIANT_LABEL, FieldManager, Object

OPERATOR, REPLICAS = FieldManager.OPERATOR, FieldManager.REPLICAS
GPU = "nvidia.com/gpu"


def policy(namespace: str, name: str = "chat") -> Object:
    """Return the smallest useful policy."""
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "CostPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "model": {"name": name, "source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B"}}},
            "objectives": {"ttft": {"p95": "800ms"}},
        },
    }


def route(namespace: str, name: str = "chat") -> Object:
    """Return the smallest useful route."""
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "ModelRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "tiers": [
                {"name": "small", "policyRef": {"name": "chat"}, "complexityBelow": "0.3"},
                {"name": "large", "external": {"provider": "openai", "model": "gpt-4o"}},
            ]
        },
    }


def router_labels() -> dict[str, str]:
    """Return the labels of a router's objects."""
    return {MANAGED_BY_LABEL: MANAGED_BY, "app.kubernetes.io/component": "router"}


def configuration(namespace: str, name: str, **metadata: Any) -> Object:
    """Return a router's configuration, which never changes under its name."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": router_labels(), **metadata},
        "immutable": True,
        "data": {"config.yaml": "model_list: []"},
    }


def price_book(name: str) -> Object:
    """Return a book with one offering."""
    offering = {"accelerator": "nvidia-l4", "capacityType": "OnDemand", "hourly": "0.71"}
    return {
        "apiVersion": "costpolicy.dev/v1alpha1",
        "kind": "PriceBook",
        "metadata": {"name": name},
        "spec": {"currency": "USD", "offerings": [offering]},
    }


def autoscaler(namespace: str, name: str = "chat", **metadata: Any) -> Object:
    """Return a HorizontalPodAutoscaler of the policy's Deployment; ``metadata`` says whose it is."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat-0123456789"},
            "minReplicas": 1,
            "maxReplicas": 3,
        },
    }


def labels(policy_name: str = "chat", variant: str = "0123456789") -> dict[str, str]:
    """Return the labels of a child."""
    return {MANAGED_BY_LABEL: MANAGED_BY, POLICY_LABEL: policy_name, VARIANT_LABEL: variant}


def deployment(namespace: str, policy_name: str = "chat", *, replicas: int | None = None, **changes: Any) -> Object:
    """Return a Deployment of the shape that the operator renders; ``changes`` replace its container's fields."""
    name, chosen = f"{policy_name}-0123456789", {POLICY_LABEL: policy_name, VARIANT_LABEL: "0123456789"}
    container = {
        "name": "engine",
        "image": "docker.io/vllm/vllm-openai:v0.32.0",
        "args": ["--model=/models", "--port=8000"],
        "env": [{"name": "HF_HOME", "value": "/models"}, {"name": "VLLM_NO_USAGE_STATS", "value": "1"}],
        "ports": [{"name": "http", "containerPort": 8000}],
        "resources": {"requests": {"cpu": "4", GPU: "1"}, "limits": {GPU: "1"}},
        "volumeMounts": [{"name": "models", "mountPath": "/models"}],
    }
    spec: dict[str, Any] = {
        "selector": {"matchLabels": chosen},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {**labels(policy_name)}},
            "spec": {
                "containers": [container | changes],
                "tolerations": [{"key": GPU, "operator": "Exists", "effect": "NoSchedule"}],
                "volumes": [{"name": "models", "emptyDir": {}}],
            },
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    metadata = {"name": name, "namespace": namespace, "labels": labels(policy_name)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def replicas_of(item: Object, count: int | None) -> Object:
    """Return what the second field manager applies: the count alone, or nothing at all to let go of it."""
    metadata = {"name": item["metadata"]["name"], "namespace": item["metadata"]["namespace"]}
    intent: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}
    return intent if count is None else intent | {"spec": {"replicas": count}}


def service(namespace: str, policy_name: str = "chat") -> Object:
    """Return a policy's Service."""
    metadata = {"name": policy_name, "namespace": namespace, "labels": labels(policy_name)}
    spec = {
        "selector": {POLICY_LABEL: policy_name},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def node(name: str, gpus: int) -> Object:
    """Return a GPU node as the device plugin leaves it."""
    amounts = {"cpu": "64", "memory": "256Gi", GPU: str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": "NVIDIA-L4"}},
        "spec": {"taints": [{"key": GPU, "effect": "NoSchedule"}]},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(namespace: str, name: str, *, gpus: int = 0, own: bool = False, phase: str = "Running") -> Object:
    """Return a pod of somebody's, or of ours."""
    amounts = {GPU: str(gpus)} if gpus else {}
    container = {"name": "main", "image": "busybox", "resources": {"requests": amounts, "limits": amounts}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels() if own else {}},
        "spec": {"containers": [container]},
        "status": {"phase": phase},
    }


def resource_version(item: Object | None) -> str:
    """Return the version of an object that must exist."""
    assert item is not None
    return str(item["metadata"]["resourceVersion"])
