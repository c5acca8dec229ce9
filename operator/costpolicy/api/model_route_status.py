"""The status of a ModelRoute: what is proven, served and saved.  Bounded so that it stays below 16 KiB."""

from typing import Annotated, Literal

from pydantic import Field

from costpolicy.api.conditions import Condition
from costpolicy.api.figures import Line, Money, Sentence, Short, Whole
from costpolicy.api.model import ObservedModel
from costpolicy.api.route_tiers import MOST_TIERS
from costpolicy.api.rules import Clip, ListMap
from costpolicy.api.types import Timestamp

Figure = Annotated[str, Clip(16)]
"""A share, a threshold or a date."""


class ProvenThreshold(ObservedModel):
    """What a calibration has proven of a tier."""

    config_map: Line
    """ConfigMap that says so."""
    threshold: Figure
    """Below this the tier may answer."""
    loss_bound: Figure
    """What it loses at most, as a share of the trusted tier's score, with 95 % confidence."""
    labels: Whole
    """Questions that this rests on."""
    date: Figure
    """When they were labelled."""


class TierTokenPrice(ObservedModel):
    """What a million tokens of a tier cost."""

    input: Money
    """A million prompt tokens."""
    output: Money
    """A million generated tokens."""
    cached_input: Money | None = None
    """A million prompt tokens that were found in a cache. Empty: as any others."""
    basis: Literal["Measured", "Planned", "PriceBook"]
    """Measured: what the policy's accelerators cost, over the tokens that they served. Planned: the same as predicted.
    PriceBook: what the provider charges."""
    since: Timestamp | None = None
    """Since when a policy's tokens count at this price: a router's prices follow the load once a day at the most."""


class TierStatus(ObservedModel):
    """One model of the route."""

    name: Short
    """Name of the tier."""
    model: Line = ""
    """Model that serves it."""
    below: Figure = ""
    """Complexity below which it answers now. Empty: nothing is sent here by complexity, or, for the trusted tier, all the
    rest is."""
    verdict: Short = ""
    """Proven, or the reason why its calibration proves nothing today. Empty: it needs none."""
    proven: ProvenThreshold | None = None
    """What is proven of it."""
    why_not: Sentence = ""
    """Why nothing, or less than was asked for, is sent here by complexity."""
    price_per_million: TierTokenPrice | None = None
    """What its tokens cost. Empty: not known."""
    share: Figure = ""
    """Share of the route's tokens that it has."""


class CompressionSavings(ObservedModel):
    """What compression saved in the last day, as shares of the prompt tokens that the trusted tier would have had."""

    removed: Figure = ""
    """Tokens that were left out. Empty: not known."""
    cache_hits_lost: Figure = ""
    """Of these, the tokens that would have come from the prefix cache. Empty: not known."""
    net: Figure = ""
    """Tokens that need not be computed any more. Empty: not known."""
    why_not: Sentence = ""
    """Why one of these is not known."""


class RouteSavings(ObservedModel):
    """How much cheaper a token is than if one tier answered everything; negative: dearer."""

    against_dearest: Figure = ""
    """Against the dearest tier."""
    against_current: Figure = ""
    """Against spec.currentTier."""
    dearest: Short = ""
    """Name of the dearest tier."""
    basis: Literal["Seen", "Expected"]
    """Seen: by the tokens of the last day. Expected: by the thresholds, before there is traffic."""
    compression: CompressionSavings | None = None
    """What compression saved. Empty: the route does not compress."""


class RouteCalibrationStatus(ObservedModel):
    """What the thresholds rest on."""

    config_map: Line = ""
    """ConfigMap that the first tier's threshold is read from."""
    verdict: Short
    """Proven, or why nothing is: NothingProven, EvidenceStale, TrafficDrifted, CalibrationMissing, CalibrationUnreadable."""
    message: Sentence = ""
    """The same in words."""
    labelling_per_day: Money | None = None
    """What a day of labels costs at most: samples.perDay of each tier, asked of it and of the trusted one, and as many long
    ones of compression. Empty: nothing is sampled, or a price is not known."""


class CompressionStatus(ObservedModel):
    """Whether long requests to the trusted tier are shortened, and what that rests on."""

    verdict: Short
    """Proven, or why nothing is shortened: NotProven, LossNotAllowed, QualityLost, EvidenceStale, TrafficDrifted,
    CalibrationUnreadable, TierNotReady."""
    message: Sentence = ""
    """The same in words."""
    config_map: Line = ""
    """ConfigMap that the proof is in. Empty: the route names none."""
    pairs: Whole = 0
    """Requests that were answered as they came and shortened, by these settings."""
    lost: Whole = 0
    """Of these, the ones that were answered worse when shortened."""
    needed: Whole | None = None
    """Pairs that would prove it if no further one is lost. Empty: it is proven, or no number of pairs would."""
    loss_bound: Figure = ""
    """What is lost at most, as a share of the trusted tier's score, with 95 % confidence. Empty: there are no pairs."""
    date: Figure = ""
    """When half of the pairs had been judged."""


class RouterStatus(ObservedModel):
    """The router that serves this route."""

    name: Short
    """Name of its Deployment and Service."""
    configuration: Line = ""
    """ConfigMap that it is configured by."""
    ready_replicas: Whole = 0
    """Replicas that are ready."""


class ModelRouteStatus(ObservedModel):
    """What is proven, served and saved."""

    observed_generation: Whole = 0
    """Generation of the route that this answers."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=8), ListMap(("type",))] = ()
    """The answer in the words of Kubernetes."""
    tiers: Annotated[tuple[TierStatus, ...], Field(max_length=MOST_TIERS), ListMap(("name",))] = ()
    """Models of the route."""
    routed: Figure = ""
    """Share of the tokens that tiers before the trusted one have."""
    blended_per_million_tokens: Money | None = None
    """What a million tokens cost over all tiers."""
    currency: Figure = ""
    """Currency of all prices: that of the price books."""
    savings: RouteSavings | None = None
    """How much cheaper that is."""
    calibration: RouteCalibrationStatus | None = None
    """What the thresholds rest on."""
    compression: CompressionStatus | None = None
    """What compression rests on. Empty: it is off."""
    router: RouterStatus | None = None
    """The router that serves this route."""
