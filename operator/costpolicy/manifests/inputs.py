"""What a variant is rendered from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from costpolicy.api.engine import PodSettings
from costpolicy.api.policy import CostPolicy, ModelSource
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import Engine
from costpolicy.manifests.arguments import engine_arguments
from costpolicy.manifests.identity import fingerprint
from costpolicy.manifests.timing import DEFAULT_GRACE
from costpolicy.manifests.weights import model_of, served_source
from costpolicy.planning.configuration import Configuration

TEMPLATE_REVISION: Final = 1
"""The revision that new variants are rendered in."""

SUPPORTED_REVISIONS: Final = (1,)
"""Revisions that this operator can render: the current one and the two before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantInputs:
    """Everything that a variant's objects depend on.

    The first group decides the hash. The second does not, although it is in the pod template: it comes from
    the catalogue or from the cluster, and a newer catalogue must not restart an engine. For a variant that
    exists, it is therefore taken from the variant's own record (:mod:`~costpolicy.manifests.record`).

    Attributes:
        image: resolved image of the engine.
        template_revision: pinned revision of the template.
        grace: termination grace period of the pods.
        startup_budget: how long an engine may need until it answers
            (:func:`~costpolicy.manifests.timing.startup_budget`).
        product_labels: node labels that mean the accelerator; ``None``: as the catalogue has them today.
        scrape_annotations: mark pods for Prometheus' usual annotations; where PodMonitors exist, those do it
            instead.
    """

    policy: CostPolicy
    configuration: Configuration
    engine: Engine
    image: str
    template_revision: int = TEMPLATE_REVISION
    grace: timedelta = DEFAULT_GRACE

    startup_budget: timedelta
    product_labels: Mapping[str, tuple[str, ...]] | None = None
    scrape_annotations: bool = True

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of ``vllm serve``."""
        return engine_arguments(self.policy, self.configuration, self.engine, self.grace)

    @property
    def source(self) -> ModelSource:
        """Where the served weights come from."""
        return served_source(self.policy, self.configuration)

    @property
    def pod(self) -> PodSettings:
        """The user's pod settings."""
        return self.policy.spec.engine.pod or PodSettings()

    @property
    def priority_class_name(self) -> str | None:
        """The PriorityClass of the pods."""
        return self.pod.priority_class_name or self.policy.spec.priority_class_name

    @property
    def products(self) -> Mapping[str, tuple[str, ...]]:
        """Node labels that mean the accelerator."""
        if self.product_labels is not None:
            return self.product_labels
        return accelerators()[self.configuration.accelerator].node_labels

    @property
    def spread(self) -> bool:
        """Whether replicas should stand on different nodes.

        Only a policy that wants several ready at once pays for that: spread replicas keep more nodes alive.
        """
        return self.policy.spec.objectives.availability.min_ready_replicas > 1


def variant_hash(inputs: VariantInputs) -> str:
    """Return the ten hexadecimal digits that name a variant.

    Whatever changes the pod template changes the hash, so that a Deployment is never rolled in place;
    replicas, prices, predictions and the operator's version are not part of it.
    """
    configuration, engine = inputs.configuration, inputs.policy.spec.engine
    document: dict[str, Any] = {
        "templateRevision": inputs.template_revision,
        "image": inputs.image,
        "engineVersion": inputs.engine.version,
        "arguments": inputs.arguments,
        "model": {"name": model_of(inputs.policy).name, "source": inputs.source.to_json()},
        "accelerator": configuration.accelerator,
        "capacityType": configuration.capacity_type,
        "tensorParallelSize": configuration.tensor_parallel_size,
        "nodeSelector": dict(configuration.node_selector),
        "resourceName": configuration.resource_name,
        "grace": inputs.grace.total_seconds(),
        "spread": inputs.spread,
        "priorityClassName": inputs.priority_class_name,
        # Defaults are left out, so that a field that a newer API adds does not change the hash of an old
        # policy.
        "engine": engine.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude={"image", "version", "extra_args"}
        ),
    }
    return fingerprint(document)
