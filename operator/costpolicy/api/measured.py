"""What a status says was measured: traffic, windows, savings, receipts of changes."""

from typing import Annotated, Literal

from costpolicy.api.figures import Line, Money, Real, Sentence, Short, Whole
from costpolicy.api.model import ObservedModel
from costpolicy.api.rules import Clip
from costpolicy.api.types import Timestamp


class ObservedTraffic(ObservedModel):
    """What the engines' own metrics say; what they do not say is absent."""

    at: Timestamp | None = None
    """When it was read."""
    requests_per_second: Real | None = None
    """Requests that arrive per second."""
    prompt_tokens: Real | None = None
    """Mean tokens of a prompt."""
    output_tokens: Real | None = None
    """Mean tokens of an answer."""
    prefix_hit_ratio: Real | None = None
    """Share of prompt tokens found in the prefix cache."""
    ttft_p95_seconds: Real | None = None
    """95th percentile of the time to first token."""
    inter_token_latency_p95_seconds: Real | None = None
    """95th percentile of the time between two tokens."""
    running: Real | None = None
    """Requests being worked on."""
    waiting: Real | None = None
    """Requests that wait."""
    kv_cache_usage: Real | None = None
    """Share of the KV cache in use."""


class WindowFigures(ObservedModel):
    """One window of time, measured."""

    since: Timestamp
    """Its start."""
    until: Timestamp
    """Its end."""
    total_cost: Money
    """What the accelerators cost."""
    requests: Whole
    """Requests answered."""
    prompt_tokens: Whole
    """Prompt tokens of them."""
    output_tokens: Whole
    """Generated tokens of them."""
    hours: Whole = 0
    """Hours of it of which costs and requests are known."""


class Interval(ObservedModel):
    """Where a figure lies with some confidence."""

    low: float
    """Lower end."""
    high: float
    """Upper end."""
    level: Real
    """Confidence, such as 0.95."""


class AttributionStatus(ObservedModel):
    """What the cost reduction comes from, in shares of the baseline's cost per request; their sum is the cost reduction."""

    change: float
    """The change of configuration."""
    traffic: float
    """More or fewer requests, longer or shorter ones."""
    price: float
    """Prices that changed."""
    unexplained: float
    """What is left."""


class MeasurementStatus(ObservedModel):
    """What the last change has saved; what cannot be said is absent."""

    changed_at: Timestamp | None = None
    """When that change ended. Empty: nothing was changed yet."""
    complete: bool = False
    """As much time has passed since as was measured before it; these figures stay until the next change."""
    read_at: Timestamp | None = None
    """The time for which the ledger's hours were read last; they are read four times a day."""
    baseline: WindowFigures | None = None
    """The window before the change."""
    current: WindowFigures | None = None
    """The window since the change; without one the latest."""
    cost_reduction: float | None = None
    """1 - cost per request now / in the baseline."""
    efficiency_improvement: float | None = None
    """Tokens per unit of money now / in the baseline - 1."""
    quality_maintained: bool | None = None
    """Whether quality was kept, by a real check."""
    interval: Interval | None = None
    """Where the change's own share of the cost reduction lies, whatever the traffic did."""
    attribution: AttributionStatus | None = None
    """What the cost reduction comes from."""
    saved_per_hour: Money | None = None
    """Allocated: by the change, price x accelerators, an hour at the traffic since."""
    realised_per_hour: Money | None = None
    """Of that, what left the bill: the node is gone, or somebody else uses the accelerator."""
    reason: Sentence = ""
    """Why a figure is absent."""


class CalibrationStatus(ObservedModel):
    """What recorded hours of the variant that serves say about the predictions for it."""

    windows: Whole
    """Hours that were compared with predictions for their own load."""
    confidence: Real
    """0 to 1; below 0.75 a margin is only widened."""
    ttft_factor: Real
    """Predictions of the time to first token are multiplied by this."""
    inter_token_factor: Real
    """Predictions of the time between two tokens are multiplied by this."""
    ttft_margin: Real
    """Where a plan relies on it, the uncorrected prediction of the time to first token is multiplied by this."""
    inter_token_margin: Real
    """The same for the time between two tokens."""
    kv_cache_factor: Real | None = None
    """Tokens that the engine's KV cache holds over those predicted. Empty: the engine does not say."""
    saturation_factor: Real | None = None
    """Requests that a saturated replica served over those predicted, at most 1. Empty: none was seen saturated."""


class SpeculationStatus(ObservedModel):
    """What recorded hours say about the tokens that are proposed."""

    proposer: Line
    """Method, tokens proposed a step, and the model that does it."""
    accepted_share: Real
    """Accepted tokens over proposed ones."""
    tokens_per_step: Real
    """Tokens that a step yields of a request on average."""
    counted_tokens_per_step: Real
    """Tokens a step that plans count on: of the slowest requests, at the lower bound of what was observed."""
    steps: Real
    """Steps of single requests that were seen."""
    hours: Whole
    """Hours in which they were seen."""


class PlaybookRow(ObservedModel):
    """One technique in this deployment."""

    technique: Short
    """Name of the technique."""
    state: Literal["Applied", "Recommended", "Blocked", "NotApplicable", "Unknown"]
    """What becomes of it."""
    saves_per_month: Money | None = None
    """What it saves or would save."""
    reason: Annotated[str, Clip(128)] = ""
    """Why."""


class Receipt(ObservedModel):
    """One change that was made."""

    at: Timestamp
    """When it ended."""
    started_at: Timestamp | None = None
    """When it began."""
    change: Line
    """What."""
    before: Annotated[str, Clip(128)] = ""
    """What ran before."""
    after: Annotated[str, Clip(128)] = ""
    """What runs after."""
    proof: Annotated[str, Clip(192)] = ""
    """What showed that it was right."""
    measured: Line = ""
    """What it saved, once as much time has passed as was measured before it."""
    undo: Line = ""
    """How it is undone."""
