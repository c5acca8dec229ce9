"""The real engine of the demo: its image, its model on a claim, its policy, and requests through its Service."""

from pathlib import Path

import yaml

from cluster import images
from cluster.paths import cache_folder
from demo.world import NAMESPACE, World
from engine.environment import VLLM_VERSION, engine_env
from engine.load import Answer, chat
from engine.tiny_model import write_tiny_model

POLICY = "tiny"
MODEL = "tiny"
IMAGE = f"localhost/costpolicy/engine:{VLLM_VERSION}"
MANIFEST = Path(__file__).with_name("manifests") / "tiny.yaml"
VOLUME = "costpolicy-demo-model"


def start(world: World) -> None:
    """Apply the policy of the tiny model; its engine takes about two minutes to load, so this comes first."""
    world.cluster.import_image(images.engine_image(IMAGE, engine_env(), {}))
    folder = write_tiny_model(cache_folder() / "tiny-model")
    world.cluster.kubectl("apply", "-f", "-", input=yaml.safe_dump_all(_claim(folder)))
    world.apply(MANIFEST)


def ask(world: World, *, requests: int) -> list[Answer]:
    """Send streaming chat requests to the policy's Service."""
    return chat(world.service_url(POLICY), MODEL, requests=requests, concurrency=4, max_tokens=16, timeout=world.patience)


def _claim(folder: Path) -> list[dict[str, object]]:
    access = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": VOLUME},
            "spec": {
                **access,
                "capacity": {"storage": "1Gi"},
                "hostPath": {"path": str(folder), "type": "Directory"},
                "claimRef": {"namespace": NAMESPACE, "name": "tiny-model"},
                "persistentVolumeReclaimPolicy": "Retain",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "tiny-model", "namespace": NAMESPACE},
            "spec": {**access, "volumeName": VOLUME, "resources": {"requests": {"storage": "1Gi"}}},
        },
    ]
