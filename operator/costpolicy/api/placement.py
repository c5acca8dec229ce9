"""Where pods may run: tolerations and affinity, as Kubernetes' core/v1 has them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from costpolicy.api.model import ApiModel
from costpolicy.api.rules import Bounds
from costpolicy.api.types import Count, LabelText, Text

Labels = Annotated[Mapping[str, LabelText], Field(max_length=32)]
_Values = Annotated[tuple[LabelText, ...], Field(max_length=32)]
_Weight = Annotated[int, Bounds(1, 100)]


class Toleration(ApiModel):
    """Lets pods run on nodes with a matching taint."""

    key: LabelText | None = None
    """Key of the taint. Empty with operator Exists: every taint."""
    operator: Literal["Exists", "Equal"] | None = None
    """How the value is compared. Empty: Equal."""
    value: LabelText | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint. Empty: every effect."""
    toleration_seconds: Count | None = None
    """How long NoExecute is tolerated."""


class NodeRequirement(ApiModel):
    """One condition on a node's label or field."""

    key: Text
    """Label or field."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How values are compared."""
    values: _Values = ()
    """Values to compare with."""


class NodeSelectorTerm(ApiModel):
    """Conditions that must all hold."""

    match_expressions: Annotated[tuple[NodeRequirement, ...], Field(max_length=16)] = ()
    """Conditions on labels."""
    match_fields: Annotated[tuple[NodeRequirement, ...], Field(max_length=16)] = ()
    """Conditions on fields."""


class NodeSelector(ApiModel):
    """Terms of which one must hold."""

    node_selector_terms: Annotated[tuple[NodeSelectorTerm, ...], Field(min_length=1, max_length=16)]
    """The terms."""


class PreferredNodeTerm(ApiModel):
    """A weighted wish about nodes."""

    weight: _Weight
    """Weight of the wish."""
    preference: NodeSelectorTerm
    """The wish."""


class NodeAffinity(ApiModel):
    """Which nodes are allowed and preferred."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """What must hold."""
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[PreferredNodeTerm, ...], Field(max_length=16)
    ] = ()
    """What is preferred."""


class LabelRequirement(ApiModel):
    """One condition on a label."""

    key: Text
    """Label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How values are compared."""
    values: _Values = ()
    """Values to compare with."""


class LabelSelector(ApiModel):
    """Conditions on labels that must all hold."""

    match_labels: Labels = Field(default_factory=dict)
    """Labels with these values."""
    match_expressions: Annotated[tuple[LabelRequirement, ...], Field(max_length=16)] = ()
    """Other conditions."""


class PodAffinityTerm(ApiModel):
    """Pods to be near to, or far from."""

    label_selector: LabelSelector | None = None
    """Which pods."""
    namespaces: Annotated[tuple[Text, ...], Field(max_length=16)] = ()
    """In which namespaces. Empty: the policy's."""
    namespace_selector: LabelSelector | None = None
    """In which namespaces, by label."""
    topology_key: Text
    """Node label whose value says what is near."""


class WeightedPodAffinityTerm(ApiModel):
    """A weighted wish about other pods."""

    weight: _Weight
    """Weight of the wish."""
    pod_affinity_term: PodAffinityTerm
    """The wish."""


class PodAffinity(ApiModel):
    """Which pods to be near to, or, as anti-affinity, far from."""

    required_during_scheduling_ignored_during_execution: Annotated[
        tuple[PodAffinityTerm, ...], Field(max_length=16)
    ] = ()
    """What must hold."""
    preferred_during_scheduling_ignored_during_execution: Annotated[
        tuple[WeightedPodAffinityTerm, ...], Field(max_length=16)
    ] = ()
    """What is preferred."""


class Affinity(ApiModel):
    """Where pods must and should run."""

    node_affinity: NodeAffinity | None = None
    """By nodes."""
    pod_affinity: PodAffinity | None = None
    """Near pods."""
    pod_anti_affinity: PodAffinity | None = None
    """Far from pods."""
