"""vLLM Deployments that somebody else wrote, their pods, and Deployments as they come from the API server."""

from copy import deepcopy
from typing import Any

from costpolicy.kube.gateway import Pod
from costpolicy.kube.parsing import pod_requests

Document = dict[str, Any]

REPOSITORY = "meta-llama/Llama-3.1-8B-Instruct"
IMAGE = "vllm/vllm-openai:v0.32.0"


def container(args: list[str] | None = None, *, gpus: int = 1, image: str = IMAGE, **fields: Any) -> Document:
    """A container of the engine; without arguments it serves the 8B model by its image's entrypoint."""
    return {
        "name": "vllm",
        "image": image,
        "args": ["--model", REPOSITORY] if args is None else args,
        "resources": {"limits": {"nvidia.com/gpu": str(gpus)}},
        **fields,
    }


def deployment(
    *containers: Document, name: str = "theirs", namespace: str = "default", replicas: int = 1, **pod: Any
) -> Document:
    """A Deployment as stored; keywords are fields of the pod's spec."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": deepcopy(list(containers or (container(),))), **pod},
            },
        },
    }


def pods(of: Document, *, on: str = "gpu-1", ready: int | None = None) -> list[Pod]:
    """Scheduled pods of a Deployment, all of them ready or the first few."""
    spec, metadata = of["spec"], of["metadata"]
    count = spec["replicas"]
    return [
        Pod(
            name=f"{metadata['name']}-{number}",
            namespace=metadata["namespace"],
            labels=spec["template"]["metadata"]["labels"],
            node=on,
            phase="Running",
            ready=number < (count if ready is None else ready),
            terminating=False,
            restarts=0,
            requests=pod_requests(spec["template"]["spec"]),
        )
        for number in range(count)
    ]
