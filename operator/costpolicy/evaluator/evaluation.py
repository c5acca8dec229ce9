"""An evaluation: each prompt asked of both deployments, a few at a time, in an order that favours neither."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

from costpolicy.api.types import JudgeType
from costpolicy.evaluator.endpoint import Answered, Endpoint, Refused
from costpolicy.evaluator.graders import Grader
from costpolicy.evaluator.record import GradedAnswer, Pair, Record, Subject
from costpolicy.quality.pairs import PairedCounts
from costpolicy.quality.prompts import Prompt, digest_of
from costpolicy.quality.result import Arm, EvaluationResult

_REPORTS: Final = 20
"""Progress lines of one evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is asked of whom, and how.

    Attributes:
        judge: its name in the result; ``grader`` is what it does.
        max_tokens: longest answer of a prompt that says nothing else.
        concurrency: prompts at a time; each has one request in flight.
        hold: called before each prompt; returns when it may be asked.
    """

    prompts: tuple[Prompt, ...]
    judge: JudgeType
    grader: Grader
    baseline: Endpoint
    canary: Endpoint
    max_tokens: int
    concurrency: int
    hold: Callable[[], None]

    @property
    def subject(self) -> Subject:
        """What a record of it is of."""
        return Subject(
            prompts_digest=digest_of(self.prompts),
            judge=self.judge,
            max_tokens=self.max_tokens,
            baseline=self.baseline.url,
            canary=self.canary.url,
        )

    def run(self, record: Record, progress: Callable[[str], None]) -> EvaluationResult:
        """Ask what the record does not hold yet, and return the result of all.

        Raises:
            EndpointError: a prompt got no answer. Nothing is concluded from the others, which might be the easy ones.
        """
        known = {pair.key for pair in record.pairs}
        # Keys are hashes: sorted by them, prompts that stand together in the file do not meet in one batch.
        waiting = sorted((one for one in self.prompts if one.key not in known), key=lambda one: one.key)
        every = max(1, len(self.prompts) // _REPORTS)
        with ThreadPoolExecutor(self.concurrency) as pool:
            asked = [pool.submit(self._ask, prompt) for prompt in waiting]
            try:
                for answered in as_completed(asked):
                    record.add(answered.result())
                    if len(record.pairs) % every == 0:
                        progress(_progress(record, len(self.prompts)))
            finally:
                for one in asked:
                    one.cancel()
        return self._result(record.pairs)

    def _ask(self, prompt: Prompt) -> Pair:
        self.hold()
        longest = prompt.max_tokens or self.max_tokens
        # Whoever comes second finds caches that the first filled, where both are one server or share one.
        if int(prompt.key[-1], 16) % 2:
            canary, baseline = self.canary.ask(prompt.request, longest), self.baseline.ask(prompt.request, longest)
        else:
            baseline, canary = self.baseline.ask(prompt.request, longest), self.canary.ask(prompt.request, longest)
        # The same answer is graded once: a judging model might not say the same of it twice.
        texts = {reply.text for reply in (baseline, canary) if isinstance(reply, Answered)}
        grades = {text: self.grader(prompt, text) for text in texts}
        return Pair(
            key=prompt.key, line=prompt.line, baseline=_graded(baseline, grades), canary=_graded(canary, grades)
        )

    def _result(self, pairs: tuple[Pair, ...]) -> EvaluationResult:
        counts = _counts(pairs)
        answers = [answer for pair in pairs for answer in (pair.baseline, pair.canary)]
        return EvaluationResult(
            prompts_digest=digest_of(self.prompts),
            judge=self.judge,
            both_right=counts.both_right,
            lost=counts.lost,
            gained=counts.gained,
            both_wrong=counts.both_wrong,
            identical=sum(_identical(pair) for pair in pairs),
            ungraded=sum(not answer.graded for answer in answers),
            baseline=_arm([pair.baseline for pair in pairs]),
            canary=_arm([pair.canary for pair in pairs]),
        )


def _graded(reply: Answered | Refused, grades: Mapping[str, bool | None]) -> GradedAnswer:
    if isinstance(reply, Refused):
        return GradedAnswer(text=reply.message, right=False, refused=True)
    grade = grades[reply.text]
    return GradedAnswer(
        text=reply.text,
        right=bool(grade),
        graded=grade is not None,
        truncated=reply.truncated,
        prompt_tokens=reply.prompt_tokens,
        output_tokens=reply.output_tokens,
    )


def _identical(pair: Pair) -> bool:
    answered = not (pair.baseline.refused or pair.canary.refused)
    return answered and pair.baseline.text == pair.canary.text


def _counts(pairs: tuple[Pair, ...]) -> PairedCounts:
    return PairedCounts.of([(pair.baseline.right, pair.canary.right) for pair in pairs])


def _arm(answers: list[GradedAnswer]) -> Arm:
    return Arm(
        truncated=sum(answer.truncated for answer in answers),
        refused=sum(answer.refused for answer in answers),
        prompt_tokens=sum(answer.prompt_tokens for answer in answers),
        output_tokens=sum(answer.output_tokens for answer in answers),
    )


def _progress(record: Record, total: int) -> str:
    counts = _counts(record.pairs)
    return f"{counts.pairs} of {total} prompts: {counts.lost} lost, {counts.gained} gained"
