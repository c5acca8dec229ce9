"""Which weights a configuration serves, and the name under which the engine finds them."""

from typing import Final

from costpolicy.api.policy import CostPolicy, ModelSource, ModelSpec
from costpolicy.planning.configuration import Configuration

MODELS_PATH: Final = "/models"
"""Where the volume with weights is mounted: the hub's cache, a claim, or what an init container copied."""


def model_of(policy: CostPolicy) -> ModelSpec:
    """Return the model of a policy that serves one.

    Raises:
        ValueError: the policy only advises on a Deployment of somebody else (``targetRef``).
    """
    if policy.spec.model is None:
        raise ValueError(f"{policy.key} has no model: nothing is rendered for a targetRef")
    return policy.spec.model


def served_source(policy: CostPolicy, configuration: Configuration) -> ModelSource:
    """Return the source that a configuration serves: one of the policy's checkpoints, or its model's own."""
    model = model_of(policy)
    if configuration.checkpoint is None:
        return model.source
    return model.checkpoints[configuration.checkpoint].source


def served_path(source: ModelSource) -> str:
    """Return what ``vllm serve`` is given as its model: a repository, or a folder in the pod."""
    if source.hugging_face is not None:
        return source.hugging_face.repository
    if source.volume is not None and source.volume.path is not None:
        return f"{MODELS_PATH}/{source.volume.path}"
    return MODELS_PATH
