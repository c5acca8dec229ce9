"""The kind ModelRoute: models in tiers, and how complex a prompt may be for each."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from costpolicy.api.model import RuledModel
from costpolicy.api.model_route_status import ModelRouteStatus
from costpolicy.api.objects import ObjectMeta
from costpolicy.api.policy import MAX_NAME_LENGTH
from costpolicy.api.route_tiers import MOST_TIERS, ExternalModel, PolicyRef, TierName, TierSpec
from costpolicy.api.routing import (
    Attribution,
    ContextCompression,
    RouteCalibration,
    RouteOutputLength,
    RouterSettings,
    Tenant,
)
from costpolicy.api.rules import ListMap, Rule
from costpolicy.api.types import PositiveRatioText

__all__ = [
    "Attribution",
    "ContextCompression",
    "ExternalModel",
    "ModelRoute",
    "ModelRouteSpec",
    "PolicyRef",
    "RouteCalibration",
    "RouteOutputLength",
    "RouterSettings",
    "Tenant",
    "TierSpec",
]

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LIMITED = "self.tiers.filter(t, has(t.complexityBelow))"


def _thresholds(tiers: Sequence[TierSpec]) -> list[Fraction]:
    """Return the thresholds, 2 where a tier has none: more than any score."""
    return [Fraction(2) if tier.complexity_below is None else Fraction(tier.complexity_below) for tier in tiers]


def _rising(spec: "ModelRouteSpec") -> bool:
    thresholds = _thresholds(spec.tiers)
    limits = [threshold for threshold in thresholds if threshold <= 1]
    return thresholds == sorted(thresholds) and len(set(limits)) == len(limits)


def _limited_before_trusted(spec: "ModelRouteSpec") -> bool:
    limited = sum(tier.complexity_below is not None for tier in spec.tiers)
    if limited == len(spec.tiers):
        return False
    return spec.tiers[limited].name == spec.trusted


def _names(spec: "ModelRouteSpec") -> set[str]:
    return {tier.name for tier in spec.tiers}


class ModelRouteSpec(RuledModel):
    """What is wanted."""

    provider: Literal["LiteLLM"] = "LiteLLM"
    """The router that carries it out."""
    tiers: Annotated[tuple[TierSpec, ...], Field(min_length=2, max_length=MOST_TIERS), ListMap(("name",))]
    """Models, from the one for the simplest prompts on."""
    trusted_tier: TierName | None = None
    """Tier that answers whatever is not proven for another. Empty: the last. Tiers after it only answer as fallbacks."""
    current_tier: TierName | None = None
    """Tier that answers everything today, to count savings against. Empty: the dearest."""
    max_quality_loss: PositiveRatioText = "2%"
    """Largest loss of quality over all traffic, as a share of the trusted tier's score."""
    calibration: RouteCalibration = Field(default_factory=RouteCalibration)
    """What the thresholds rest on."""
    context_compression: ContextCompression = Field(default_factory=ContextCompression)
    """Long contexts shortened; off unless asked for."""
    output_length: RouteOutputLength = Field(default_factory=RouteOutputLength)
    """Caps on the length of answers."""
    attribution: Attribution = Field(default_factory=Attribution)
    """Who asks, and for what."""
    router: RouterSettings = Field(default_factory=RouterSettings)
    """The router, which all routes of a namespace share."""

    rules: ClassVar = (
        Rule(
            "self.tiers.map(t, has(t.complexityBelow) ? double(t.complexityBelow) : 2.0).isSorted() && "
            f"{_LIMITED}.all(t, {_LIMITED}.exists_one(o, double(o.complexityBelow) == double(t.complexityBelow)))",
            "complexityBelow must rise from tier to tier: order tiers from the simplest prompts to the most complex",
            _rising,
        ),
        Rule(
            f"size({_LIMITED}) < size(self.tiers) && (has(self.trustedTier) ? "
            f"self.tiers[size({_LIMITED})].name == self.trustedTier : size({_LIMITED}) == size(self.tiers) - 1)",
            "every tier before the trusted one (trustedTier, or else the last) needs complexityBelow, and no other has it",
            _limited_before_trusted,
        ),
        Rule(
            "!has(self.trustedTier) || self.tiers.exists(t, t.name == self.trustedTier)",
            "trustedTier must be the name of a tier",
            lambda spec: spec.trusted_tier is None or spec.trusted_tier in _names(spec),
        ),
        Rule(
            "!has(self.currentTier) || self.tiers.exists(t, t.name == self.currentTier)",
            "currentTier must be the name of a tier",
            lambda spec: spec.current_tier is None or spec.current_tier in _names(spec),
        ),
        Rule(
            "self.tiers.all(t, !has(t.fallbacks) || "
            "t.fallbacks.all(f, f != t.name && self.tiers.exists(o, o.name == f)))",
            "fallbacks must be names of other tiers",
            lambda spec: all(set(tier.fallbacks) <= _names(spec) - {tier.name} for tier in spec.tiers),
        ),
        Rule(
            "!has(self.calibration) || !has(self.calibration.tiers) || "
            "self.calibration.tiers.all(c, self.tiers.exists(t, t.name == c.name))",
            "calibration.tiers must have names of tiers",
            lambda spec: {one.name for one in spec.calibration.tiers} <= _names(spec),
        ),
        Rule(
            "!has(self.outputLength) || !has(self.outputLength.features) || self.outputLength.features.all(f, "
            "has(self.attribution) && has(self.attribution.features) && f.name in self.attribution.features)",
            "outputLength.features must be listed in attribution.features, which requests are told apart by",
            lambda spec: {one.name for one in spec.output_length.features} <= set(spec.attribution.features),
        ),
    )

    @property
    def trusted(self) -> str:
        """Name of the tier that answers whatever is not proven for another."""
        return self.trusted_tier or self.tiers[-1].name


class ModelRoute(RuledModel):
    """Models in tiers behind one name: each request goes to the cheapest one that is proven to keep quality."""

    api_version: Literal["costpolicy.dev/v1alpha1"] = "costpolicy.dev/v1alpha1"
    kind: Literal["ModelRoute"] = "ModelRoute"
    metadata: ObjectMeta
    spec: ModelRouteSpec
    """What is wanted."""
    status: ModelRouteStatus | None = None
    """What is proven, served and saved."""

    rules: ClassVar = (
        Rule(
            f"size(self.metadata.name) <= {MAX_NAME_LENGTH}",
            f"the name of a route must not exceed {MAX_NAME_LENGTH} characters",
            lambda route: len(route.metadata.name) <= MAX_NAME_LENGTH,
        ),
        Rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "the name of a route must begin with a letter and hold only a-z, 0-9 and '-': clients ask for a model of that name",
            lambda route: _NAME.fullmatch(route.metadata.name) is not None,
        ),
    )

    @property
    def key(self) -> str:
        """``namespace/name``, as it is shown and logged."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
