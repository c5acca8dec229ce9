"""What was rendered of a policy and of its variants that run or are planned: it stays the same until the policy is edited, and is
asked for in each decision.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from costpolicy.api.policy import CostPolicy
from costpolicy.catalog.engines import EngineError
from costpolicy.kube.gateway import Object
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.policy_objects import policy_objects
from costpolicy.manifests.variant import UnsupportedRevisionError, Variant, render_variant

_VARIANTS: Final = 6
"""Variants of a policy that are remembered: what serves, its successor, what either replaces, and two that are planned."""


class Renderings:
    """The last renderings of one policy's variants, by what they depend on.  Equal inputs give equal objects.

    It only saves work, and may be empty at any time.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[VariantInputs, Variant | None]] = OrderedDict()
        self._own: tuple[CostPolicy, tuple[str | None, int, bool], tuple[Object, ...]] | None = None

    def of_policy(
        self, policy: CostPolicy, stable: str | None, replicas: int, *, monitored: bool
    ) -> tuple[Object, ...]:
        """Return the objects that a policy has once; see :func:`policy_objects`."""
        asked, known = (stable, replicas, monitored), self._own
        if known is None or known[1] != asked or not _same(known[0], policy):
            made = policy_objects(policy, stable, replicas, monitored=monitored)
            known = self._own = policy.model_copy(update={"status": None}), asked, made
        return known[2]

    def of(self, name: str, inputs: VariantInputs) -> Variant | None:
        """Return what inputs render; ``None`` where this operator cannot render them.

        ``name`` is the hash of a variant that runs, of which its policy makes another one after an edit, or any other.
        """
        known = self._known.get(name)
        if known is None or not _alike(known[0], inputs):
            known = inputs, _rendered(inputs)
        self._known[name] = known
        self._known.move_to_end(name)
        while len(self._known) > _VARIANTS:
            self._known.popitem(last=False)
        return known[1]


def _rendered(inputs: VariantInputs) -> Variant | None:
    try:
        return render_variant(inputs)
    except (EngineError, UnsupportedRevisionError, LookupError):
        return None


def _alike(one: VariantInputs, other: VariantInputs) -> bool:
    """Return whether inputs differ in nothing but the status of their policy and the version that it is stored in."""
    return _pinned(one) == _pinned(other) and _same(one.policy, other.policy)


def _pinned(inputs: VariantInputs) -> tuple[object, ...]:
    return (
        inputs.configuration,
        inputs.engine,
        inputs.image,
        inputs.template_revision,
        inputs.grace,
        inputs.startup_budget,
        inputs.product_labels,
        inputs.scrape_annotations,
    )


def _same(one: CostPolicy, other: CostPolicy) -> bool:
    """Return whether policies differ in nothing but their status and the version that they are stored in."""
    return one is other or (one.spec == other.spec and _identity(one) == _identity(other))


def _identity(policy: CostPolicy) -> Mapping[str, Any]:
    return policy.metadata.model_dump(exclude={"resource_version"})
