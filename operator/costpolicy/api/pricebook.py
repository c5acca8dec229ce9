"""The kind PriceBook: what can be had, and at what price."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.objects import ObjectMeta
from costpolicy.api.rules import Bounds, ListMap, Rule
from costpolicy.api.types import (
    AcceleratorName,
    CapacityType,
    CurrencyCode,
    DateOrTime,
    LabelText,
    MoneyText,
    PositiveCount,
    Text,
)


class OfferingSpec(RuledModel):
    """An accelerator that can be had, and its price."""

    accelerator: AcceleratorName
    """Catalogue name, such as `nvidia-h100-80gb`."""
    capacity_type: CapacityType
    """How it is paid for."""
    hourly: MoneyText
    """Price of one accelerator for one hour, a decimal such as `2.49`."""
    count: PositiveCount | None = None
    """How many accelerators there are; Reserved ones are paid for, used or not."""
    node_selector: Annotated[Mapping[str, LabelText], Field(max_length=16)] = Field(default_factory=dict)
    """Labels of the nodes that carry it. Empty: found by the product labels of the catalogue."""
    resource_name: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$", max_length=128)] | None = None
    """Extended resource that pods request. Empty: the catalogue's, such as `nvidia.com/gpu`."""
    accelerators_per_node: Annotated[int, Bounds(1, 1024)] | None = None
    """Accelerators of one node. Empty: read from nodes; outside a cluster the catalogue's."""
    max_nodes: Annotated[int, Bounds(0, 100_000)] | None = None
    """Nodes that the cluster may start for it."""
    source: Annotated[str, Field(max_length=512)] = ""
    """Where the price was read."""
    effective_from: DateOrTime = "1970-01-01"
    """Date or time since when it holds; the latest that is not in the future wins."""

    rules: ClassVar = (
        Rule(
            "self.capacityType != 'Reserved' || has(self.count)",
            "Reserved capacity needs count, the number of accelerators that are paid for",
            lambda offering: offering.capacity_type is not CapacityType.RESERVED or offering.count is not None,
        ),
    )


class TokenPrice(ApiModel):
    """What an external provider charges for tokens."""

    provider: Text
    """Name of the provider."""
    model: Text
    """Name of the model, as the provider has it."""
    input_per_million: MoneyText
    """Price of a million prompt tokens."""
    output_per_million: MoneyText
    """Price of a million generated tokens."""
    cached_input_per_million: MoneyText | None = None
    """Price of a million prompt tokens that the provider found in its cache."""


class PriceBookSpec(ApiModel):
    """Prices in one currency."""

    currency: CurrencyCode
    """ISO 4217 code of every price in this book."""
    priority: Annotated[int, Bounds(-1_000_000, 1_000_000)] = 0
    """Of several books that price the same, the highest wins; list prices are at -1000."""
    offerings: Annotated[
        tuple[OfferingSpec, ...],
        Field(max_length=512),
        ListMap(("accelerator", "capacityType", "effectiveFrom")),
    ] = ()
    """Accelerators that can be had."""
    token_prices: Annotated[tuple[TokenPrice, ...], Field(max_length=512), ListMap(("provider", "model"))] = ()
    """Tokens that can be bought."""


class PriceBook(ApiModel):
    """What can be had, and at what price."""

    api_version: Literal["costpolicy.dev/v1alpha1"] = "costpolicy.dev/v1alpha1"
    kind: Literal["PriceBook"] = "PriceBook"
    metadata: ObjectMeta
    spec: PriceBookSpec
    """Prices in one currency."""
