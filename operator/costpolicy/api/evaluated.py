"""What a status says of evaluations: what they found, and what is not asked again."""

from typing import Annotated, Literal

from pydantic import Field

from costpolicy.api.figures import Line, Sentence, Short, Whole
from costpolicy.api.model import ObservedModel
from costpolicy.api.rules import ListMap

MOST_PROVEN = 4
"""Ways to answer that are remembered as harmless: as many as variants."""
MOST_REFUSED = 8
"""Ways to answer that are remembered as not shown to be harmless; with so many, no other is tried."""


class BaselineEvaluation(ObservedModel):
    """What serves, asked the same prompts twice: how far it differs from itself, and what the prompts can prove."""

    job: Line
    """The Job that asked; its name is a hash of who was asked, of the prompts' reference and of the operator's image."""
    prompts_digest: Short
    """Tells the prompts that were asked from others."""
    both_right: Whole
    """Prompts that were answered rightly twice."""
    lost: Whole
    """Prompts that were answered rightly the first time only."""
    gained: Whole
    """Prompts that were answered rightly the second time only."""
    both_wrong: Whole
    """Prompts that were answered rightly neither time."""
    seconds: Whole
    """How long it took."""
    max_loss: Short
    """quality.maxLoss that the following is about."""
    verdict: Literal["Adequate", "TooSmall", "NothingToLose"]
    """Whether these prompts can exclude that loss."""
    margin: float = 0.0
    """Largest loss to accept, as a share of all prompts, fixed before a canary is asked."""
    message: Sentence = ""
    """The verdict in words."""


class ProvenAnswers(ObservedModel):
    """Answers that were shown to be no worse."""

    key: Short
    """Formats of weights and of the KV cache, and the checkpoint: what decides the answers."""
    variant: Short
    """Hash of the variant that was asked."""
    baseline: Short
    """Hash of the variant that served then."""
    weights: Short
    """Format of its weights."""
    checkpoint: Whole | None = None
    """Index in model.checkpoints. Empty: model.source."""
    kv_cache_dtype: Short
    """Format of its cached keys and values."""
    message: Sentence
    """What was shown, in words."""


class RefusedAnswers(ObservedModel):
    """Answers that were not shown to be no worse; the same prompts are not asked of them again."""

    key: Short
    """Formats of weights and of the KV cache, and the checkpoint: what decides the answers."""
    weights: Short
    """Format of the weights."""
    checkpoint: Whole | None = None
    """Index in model.checkpoints. Empty: model.source."""
    kv_cache_dtype: Short
    """Format of cached keys and values."""
    reason: Short
    """QualityInferior or EvaluationInconclusive."""
    message: Sentence
    """What was found, in words."""


class QualityStatus(ObservedModel):
    """What evaluations have found."""

    question: Short = ""
    """A hash of where prompts come from, how they are judged and of quality.maxLoss; another question begins anew."""
    baseline: BaselineEvaluation | None = None
    """What serves, compared with itself."""
    proven: Annotated[tuple[ProvenAnswers, ...], Field(max_length=MOST_PROVEN), ListMap(("key",))] = ()
    """What was shown to be no worse and still runs, the last one first."""
    refused: Annotated[tuple[RefusedAnswers, ...], Field(max_length=MOST_REFUSED), ListMap(("key",))] = ()
    """What was not, the last one first."""
