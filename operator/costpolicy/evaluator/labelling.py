"""Labels from traffic: sampled requests asked of the trusted tier and of a cheaper one, and their answers compared.

A compression is judged likewise: the trusted tier is asked each long request twice, as it came and shortened.

What the trusted tier answers is the reference.  So a cheaper one is right where it says the same, and never better: labels
count no gains, and what they prove is on the careful side.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from costpolicy.evaluator.endpoint import Answered, Endpoint, Refused
from costpolicy.evaluator.graders import Grader
from costpolicy.evaluator.labels_file import LabelsFile
from costpolicy.evaluator.samples import Sample
from costpolicy.manifests.router.inputs import TokenPrices
from costpolicy.quality.scoring import normalized
from costpolicy.routing.labels import Label
from costpolicy.units import Money

_MILLION: Final = 1_000_000
_REPORTS: Final = 20
"""Progress lines of a run."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was read and written."""

    prompt: int = 0
    output: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(self.prompt + other.prompt, self.output + other.output)

    def cost(self, prices: TokenPrices) -> Money:
        """Return what they cost, rounded to the micro-unit; tokens that a cache had count in full."""
        return prices.input.scaled(self.prompt, _MILLION) + prices.output.scaled(self.output, _MILLION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a run did.

    Attributes:
        made: labels. waiting: samples without one, because the day has its number.
        refused: requests that the trusted tier does not take; nobody is right then.
        strong, weak: tokens of the two; those of a judging model are not known here.
    """

    made: int = 0
    waiting: int = 0
    refused: int = 0
    strong: Tokens = Tokens()
    weak: Tokens = Tokens()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """Who is asked, and how.

    Attributes:
        orders: fields of every request beside the sample's, such as the one that forbids a router to ask another tier.
        max_tokens: longest answer of a request that says nothing else, and the most of any.
        concurrency: samples at a time; each has one request in flight.
        per_day: the most labels of a day, which caps the cost.
    """

    strong: Endpoint
    weak: Endpoint
    grader: Grader
    orders: Mapping[str, Any] = field(default_factory=dict)
    max_tokens: int
    concurrency: int
    per_day: int

    def run(
        self, samples: Sequence[Sample], labels: LabelsFile, day: date, progress: Callable[[str], None]
    ) -> Labelled:
        """Label samples that have none, as many as the day still takes; which of them, is left to chance.

        Raises:
            EndpointError: one got no answer. Labels that were made until then are kept.
            OSError: a label cannot be written.
        """
        # Keys are hashes: sorted by them, a part of the samples is a fair one.
        unlabelled = sorted((one for one in samples if one.key not in labels), key=lambda one: one.key)
        chosen = unlabelled[: max(0, self.per_day - labels.made_on(day))]
        done = Labelled(waiting=len(unlabelled) - len(chosen))
        every = max(1, len(chosen) // _REPORTS)
        with ThreadPoolExecutor(self.concurrency) as pool:
            asked = [pool.submit(self._ask, sample) for sample in chosen]
            try:
                for answered in as_completed(asked):
                    judged = answered.result()
                    labels.add(judged.label, judged.key, day)
                    done = judged.added_to(done)
                    if done.made % every == 0:
                        progress(f"{done.made} of {len(chosen)} requests")
            finally:
                for one in asked:
                    one.cancel()
        return done

    def _ask(self, sample: Sample) -> "_Judged":
        request = {**sample.prompt.request, **self.orders}
        longest = min(sample.prompt.max_tokens or self.max_tokens, self.max_tokens)
        strong = self.strong.ask(request, longest)
        if isinstance(strong, Refused) or not normalized(strong.text):
            tokens = Tokens() if isinstance(strong, Refused) else _tokens(strong)
            return _Judged(_label(sample, strong=False, weak=False), sample.key, tokens, Tokens(), refused=True)
        weak = self.weak.ask({**request, **(sample.shortened or {})}, longest)
        if isinstance(weak, Refused):
            return _Judged(_label(sample, strong=True, weak=False), sample.key, _tokens(strong), Tokens())
        right = self._is_as_good(sample, strong.text, weak.text)
        label = _label(sample, strong=True, weak=right)
        return _Judged(label, sample.key, _tokens(strong), _tokens(weak))

    def _is_as_good(self, sample: Sample, reference: str, answer: str) -> bool:
        """Say whether an answer is the reference's equal; what cannot be told counts as wrong."""
        if normalized(answer) == normalized(reference):
            return True
        return bool(self.grader(replace(sample.prompt, expected=(reference,)), answer))


@dataclass(frozen=True, slots=True)
class _Judged:
    """One label and what it took."""

    label: Label
    key: str
    strong: Tokens
    weak: Tokens
    refused: bool = False

    def added_to(self, done: Labelled) -> Labelled:
        return replace(
            done,
            made=done.made + 1,
            refused=done.refused + self.refused,
            strong=done.strong + self.strong,
            weak=done.weak + self.weak,
        )


def total_cost(done: Labelled, strong: TokenPrices | None, weak: TokenPrices | None) -> Money | None:
    """Return what the two tiers charge for a run; ``None``: a price is missing."""
    if strong is None or weak is None:
        return None
    return done.strong.cost(strong) + done.weak.cost(weak)


def _label(sample: Sample, *, strong: bool, weak: bool) -> Label:
    return Label(task=sample.feature, prompt=sample.text, strong=strong, weak=weak)


def _tokens(answered: Answered) -> Tokens:
    return Tokens(prompt=answered.prompt_tokens, output=answered.output_tokens)
