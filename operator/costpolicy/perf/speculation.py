"""Speculative decoding: tokens proposed cheaply and verified in one step, so that a step yields more than one.

With ``k`` proposed tokens, each accepted with probability ``a`` if those before it were, a step yields
``(1 - a^(k+1)) / (1 - a)`` tokens (Leviathan et al. 2023, arXiv 2211.17192, equation 1).  It computes ``k + 1`` tokens
of each sequence and reads each cache once, so it is nearly free where a step reads weights and dear where it computes.
Rejection sampling keeps the distribution of the answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from costpolicy.api.types import WeightFormat
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.formats import weight_bytes
from costpolicy.catalog.parameters import count_parameters

_SIXTEEN_BITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The model that proposes, run once for each proposed token, with the tensor parallelism of the one that verifies.

    ``shares_head``: it uses the other's embedding and output head, so that they are read for it but not loaded twice.
    """

    model: ModelArchitecture
    weights: WeightFormat
    shares_head: bool = False

    @property
    def loaded_bytes(self) -> int:
        """Bytes of weights that it adds, over all accelerators."""
        if self.shares_head:
            return _SIXTEEN_BITS * count_parameters(self.model).linear
        return weight_bytes(self.model, self.weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """``tokens`` proposed a step, each accepted with probability ``acceptance`` if those before it were.

    Without a ``draft`` the host proposes (n-grams found in the request's own text).

    Raises:
        ValueError: a negative number of tokens, or an acceptance that is no probability.
    """

    tokens: int
    acceptance: float
    draft: Draft | None = None

    def __post_init__(self) -> None:
        if self.tokens < 0:
            raise ValueError(f"proposed tokens must not be negative, not {self.tokens}")
        if not 0 <= self.acceptance <= 1:
            raise ValueError(f"acceptance must be in [0, 1], not {self.acceptance}")

    @property
    def tokens_per_step(self) -> float:
        """Expected tokens that a step yields of one sequence, from 1 to ``tokens + 1``."""
        return sum(self.acceptance**position for position in range(self.tokens + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What a proposed token's acceptance was found to be where somebody measured it.

    ``cautious`` is of the request that 95 % of requests do better than, on the text where that is lowest: a promise of
    a 95th percentile rests on it.  ``lowest`` and ``highest`` are means over the requests of one kind of text.
    """

    cautious: float
    lowest: float
    highest: float
    source: str


_MEASURED = (
    "published acceptances of Llama-3.1-8B-Instruct on vLLM (arXiv 2601.11580): chat, summaries, arithmetic, code edits"
)

ACCEPTANCES: Final[Mapping[str, Acceptance]] = MappingProxyType(
    {
        "ngram": Acceptance(cautious=0.02, lowest=0.14, highest=0.55, source=_MEASURED),
        "eagle": Acceptance(cautious=0.44, lowest=0.62, highest=0.66, source=_MEASURED),
        "eagle3": Acceptance(
            cautious=0.44, lowest=0.62, highest=0.66, source=f"taken as EAGLE's, which it improves on; {_MEASURED}"
        ),
        "draft_model": Acceptance(
            cautious=0.32,
            lowest=0.50,
            highest=0.56,
            source="2.0 to 2.3 tokens a step on Spec-Bench (Vicuna), less what EAGLE's slowest requests lack",
        ),
    }
)
"""By method; published figures, not fitted: the closed form is solved for the tokens a step that were counted with three proposed.

Tokens a step on chat, summaries, arithmetic and code edits: n-gram 1.40, 1.33, 1.16, 2.03 on average and 1.02, 1.13, 1.05,
1.23 at the 5th percentile of requests; EAGLE 2.25, 2.33, 2.39, 2.35 and 1.72, 1.95, 2.12, 2.14. Where the number of proposed tokens is not
known (Spec-Bench) it is the acceptance without a limit, which is the lowest that fits. For ``mtp`` and ``medusa`` nothing
comparable was found."""


def eagle_head(target: ModelArchitecture) -> ModelArchitecture | None:
    """Return what EAGLE proposes with: one decoder layer of the target, and a projection that joins hidden states with
    the embedding (arXiv 2401.15077; three hidden states in EAGLE-3, 2503.01840, which is what is counted).

    ``None`` for a target whose layers are not plain (experts, latent or linear attention, windows): what its head would
    look like is its trainer's choice.
    """
    if target.experts or target.mla is not None or target.global_layers < target.layers:
        return None
    return replace(
        target,
        id=f"EAGLE head of {target.id}",
        layers=1,
        intermediate_size=target.intermediate_size + target.hidden_size,  # three matrices: that of the projection
        full_attention_layers=None,
        encoder_parameters=0,
    )
