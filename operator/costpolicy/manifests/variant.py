"""Render the objects of a variant, in the template revision that it is pinned to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from costpolicy.manifests.deployment import deployment
from costpolicy.manifests.identity import variant_name
from costpolicy.manifests.inputs import SUPPORTED_REVISIONS, VariantInputs, variant_hash
from costpolicy.manifests.serialization import Object
from costpolicy.manifests.services import variant_service


class UnsupportedRevisionError(ValueError):
    """A variant is pinned to a template that this operator no longer (or not yet) renders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A rendered variant: its Deployment (without replicas) first, then its Service."""

    hash: str
    name: str
    objects: tuple[Object, ...]

    @property
    def deployment(self) -> Object:
        """The variant's Deployment."""
        return self.objects[0]


def render_variant(inputs: VariantInputs) -> Variant:
    """Return the objects of a variant; equal inputs give equal bytes.

    Raises:
        UnsupportedRevisionError: the pinned revision is not one of ``SUPPORTED_REVISIONS``.
        ValueError: the policy has no model.
        KeyError: the accelerator is not in the catalogue.
    """
    render = _RENDERERS.get(inputs.template_revision)
    if render is None:
        known = ", ".join(str(revision) for revision in SUPPORTED_REVISIONS)
        raise UnsupportedRevisionError(
            f"template revision {inputs.template_revision} is not supported (supported: {known}); "
            "run the operator that created the variant, or let a spec change replace it"
        )
    variant = variant_hash(inputs)
    return Variant(hash=variant, name=variant_name(inputs.policy, variant), objects=render(inputs, variant))


def _revision_1(inputs: VariantInputs, variant: str) -> tuple[Object, ...]:
    return deployment(inputs, variant), variant_service(inputs.policy, variant)


_RENDERERS: Final[Mapping[int, Callable[[VariantInputs, str], tuple[Object, ...]]]] = MappingProxyType({1: _revision_1})
