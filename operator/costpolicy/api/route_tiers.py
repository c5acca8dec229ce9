"""The models that a ModelRoute chooses between: policies of its own namespace, or external providers."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.objects import SecretKeyRef
from costpolicy.api.rules import exactly_one
from costpolicy.api.types import ComplexityText, ObjectName, Text

MOST_TIERS = 8

TierName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=40)]

BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=512)]


class PolicyRef(ApiModel):
    """A CostPolicy of the route's namespace."""

    name: ObjectName
    """Name of the CostPolicy."""


class ExternalModel(ApiModel):
    """A model that somebody else serves, paid for by the token."""

    provider: Annotated[str, Field(pattern=r"^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$", max_length=63)]
    """Name of the provider, as LiteLLM and the price books have it, such as `openai`."""
    model: Text
    """Name of the model, as the provider and the price books have it."""
    base_url: BaseUrl | None = Field(default=None, alias="baseURL")
    """Base of its API. Empty: the provider's own."""
    api_key_secret_ref: SecretKeyRef | None = None
    """Secret with the API key. The kubelet hands it to the router's pods; the operator never reads it."""


class TierSpec(RuledModel):
    """One model of a route."""

    name: TierName
    """Name of the tier, unique within the route."""
    policy_ref: PolicyRef | None = None
    """The CostPolicy that serves it. Exactly one of policyRef and external."""
    external: ExternalModel | None = None
    """The provider that serves it. Exactly one of policyRef and external."""
    complexity_below: ComplexityText | None = None
    """It may have prompts that score below this and not below that of the tier before. Every tier before the trusted one
    has it, no other does. In force is the smaller of this and what is proven."""
    fallbacks: Annotated[tuple[TierName, ...], Field(max_length=MOST_TIERS - 1)] = ()
    """Tiers that answer when this one does not, in this order. Empty: those after it, then those before it."""

    rules: ClassVar = (exactly_one("a tier", "policyRef", "external"),)
