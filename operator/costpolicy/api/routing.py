"""How a ModelRoute routes: proof, compression, caps, attribution, and the router that carries it out."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from costpolicy.api.containers import ResourceRequirements
from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.objects import ConfigMapRef, SecretKeyRef
from costpolicy.api.operation import Judge
from costpolicy.api.route_tiers import MOST_TIERS, TierName
from costpolicy.api.rules import Bounds, ListMap, Rule
from costpolicy.api.types import (
    CompressionMode,
    CronSchedule,
    ObjectName,
    OutputLengthMode,
    PositiveCount,
    PositiveDurationText,
    PositiveRatioText,
)

MOST_FEATURES = 32
MOST_TENANTS = 64
RESERVED_FEATURES = ("other", "unattributed")
"""What the router calls requests of features that are not listed, and of none."""

FeatureName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$", min_length=1, max_length=63)
]
StopSequence = Annotated[str, StringConstraints(min_length=1, max_length=64)]
StopSequences = Annotated[tuple[StopSequence, ...], Field(max_length=4)]


class TierCalibration(ApiModel):
    """The proof of one tier."""

    name: TierName
    """Name of the tier."""
    config_map_ref: ConfigMapRef
    """ConfigMap that `costpolicy route calibrate` made of labels of this tier and the trusted one."""


class SampleStorage(ApiModel):
    """Where samples are kept."""

    claim_name: ObjectName
    """PersistentVolumeClaim that all replicas of the router can write to."""


class Samples(ApiModel):
    """Requests that another tier answers as well, so that traffic gets labels. They cost what that tier costs."""

    share: PositiveRatioText = "1%"
    """Share of requests."""
    per_day: Annotated[int, Bounds(1, 100_000)] = 500
    """The most a day, over all replicas: what caps the cost."""
    judge: Judge = Field(default_factory=Judge)
    """How the answers are compared."""


class RouteCalibration(RuledModel):
    """What the thresholds rest on. Without it everything goes to the trusted tier."""

    config_map_ref: ConfigMapRef | None = None
    """ConfigMap that `costpolicy route calibrate` made, for the first tier that has none of its own."""
    tiers: Annotated[tuple[TierCalibration, ...], Field(max_length=MOST_TIERS), ListMap(("name",))] = ()
    """Proofs by tier."""
    schedule: CronSchedule | None = None
    """Cron expression of five fields: when samples are labelled and the calibration is made anew. Empty: never by itself."""
    max_age: PositiveDurationText = "720h"
    """Age from which labels prove nothing any more."""
    storage: SampleStorage | None = None
    """Where samples are kept."""
    samples: Samples | None = None
    """Requests to label. Empty: none are kept."""
    retention: PositiveDurationText = "720h"
    """Age at which samples are deleted."""

    rules: ClassVar = (
        Rule(
            "(!has(self.samples) && !has(self.schedule)) || has(self.storage)",
            "samples and schedule need storage.claimName, where samples are kept",
            lambda calibration: (
                (calibration.samples is None and calibration.schedule is None) or calibration.storage is not None
            ),
        ),
    )


class ContextCompression(ApiModel):
    """Long results and answers in a conversation shortened to what matters for the question. It can alter answers, so it has to
    be proven on the route's own traffic that they are no worse."""

    mode: CompressionMode = CompressionMode.DISABLED
    """Enabled shortens what the trusted tier is asked, once answers to sampled requests prove that this loses no more than
    maxQualityLoss; it needs calibration.samples, a schedule and a ConfigMap. Disabled passes everything on as it came."""
    minimum_characters: Annotated[int, Bounds(200, 10_000_000)] = 4000
    """Messages from this length on are shortened."""
    ratio: PositiveRatioText = "50%"
    """Share of their characters that is kept."""


class FeatureOutput(RuledModel):
    """The most that a feature's answers may take, and what ends them."""

    name: FeatureName
    """Name of the feature, one of attribution.features."""
    max_tokens: PositiveCount | None = None
    """Longest answer in tokens. Empty: as clients ask."""
    stop: StopSequences = ()
    """Texts that end an answer, beside those that clients give."""

    rules: ClassVar = (
        Rule(
            "has(self.maxTokens) || (has(self.stop) && size(self.stop) > 0)",
            "a feature's output needs maxTokens or stop",
            lambda output: output.max_tokens is not None or bool(output.stop),
        ),
    )


class RouteOutputLength(ApiModel):
    """Caps on the length of answers."""

    mode: OutputLengthMode = OutputLengthMode.RECOMMEND
    """Recommend reports only, Enforce lowers what clients ask to the caps. No cap ever raises what a client asks."""
    max_tokens: PositiveCount | None = None
    """Longest answer of features that have no cap of their own. Empty: as clients ask."""
    stop: StopSequences = ()
    """Texts that end answers of features that have none of their own."""
    features: Annotated[tuple[FeatureOutput, ...], Field(max_length=MOST_FEATURES), ListMap(("name",))] = ()
    """Caps by feature."""


class Tenant(ApiModel):
    """Somebody who may use this route, with a key of their own."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
    """Name of the tenant; the same in every route of the namespace that they may use."""
    key_secret_ref: SecretKeyRef
    """Secret with the tenant's key. The kubelet hands it to the router's pods; the operator never reads it."""


class Attribution(RuledModel):
    """Who asks, and for what."""

    features: Annotated[tuple[FeatureName, ...], Field(max_length=MOST_FEATURES)] = ()
    """Features that requests are counted by. All others count as `other`, requests that name none as `unattributed`."""
    header: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)] = "x-costpolicy-feature"
    """HTTP header in which clients name the feature, in lower case. All routes of a namespace have the same."""
    tenants: Annotated[tuple[Tenant, ...], Field(max_length=MOST_TENANTS), ListMap(("name",))] = ()
    """Who may use the route. Empty: whoever has the master key, or a key of the database."""

    rules: ClassVar = (
        Rule(
            "!has(self.features) || !self.features.exists(f, f in ['other', 'unattributed'])",
            "other and unattributed are what the router calls features that are not listed: choose another name",
            lambda attribution: not any(name in RESERVED_FEATURES for name in attribution.features),
        ),
    )


class RouterSettings(ApiModel):
    """The router, which all routes of a namespace share."""

    replicas: Annotated[int, Bounds(2, 100)] = 2
    """Replicas; of several routes the largest counts."""
    master_key_secret_ref: SecretKeyRef | None = None
    """Secret with LiteLLM's master key. Empty: the operator creates one with a random key and never reads it. All routes of
    a namespace name the same."""
    database_secret_ref: SecretKeyRef | None = None
    """Secret with the URL of LiteLLM's PostgreSQL, for budgets and keys of its own. Empty: there are none. All routes of a
    namespace name the same."""
    resources: ResourceRequirements | None = None
    """Resources of the router's container. Empty: 1 CPU and 512Mi. Of several routes the first by name that states them
    counts."""
