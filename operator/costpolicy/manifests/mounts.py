"""Names and paths of the volumes that every engine pod has; nothing of the user's may take their place."""

from typing import Final

from costpolicy.manifests.weights import MODELS_PATH

MODELS_VOLUME: Final = "models"
HOME_PATH: Final = "/home/vllm"
SHARED_MEMORY_PATH: Final = "/dev/shm"  # noqa: S108 - the path that NCCL and torch use
TEMPORARY_PATH: Final = "/tmp"  # noqa: S108 - a volume of the pod's own
PROGRAM_VOLUME: Final = "costpolicy"
PROGRAM_PATH: Final = "/etc/costpolicy"
COPY_CONTAINER: Final = "copy-weights"
RESERVED_VOLUMES: Final = frozenset({MODELS_VOLUME, "home", "shm", "tmp", PROGRAM_VOLUME})
RESERVED_PATHS: Final = frozenset({MODELS_PATH, HOME_PATH, SHARED_MEMORY_PATH, TEMPORARY_PATH, PROGRAM_PATH})
