"""What evaluations have shown: finished Jobs become part of the status, which outlives them.

Judged here and nowhere else, from counts: the baseline against itself says whether the prompts are enough and fixes the
margin; baseline against canary says whether the canary is no worse.
"""

from dataclasses import dataclass
from typing import Self

from costpolicy.api.evaluated import (
    MOST_PROVEN,
    MOST_REFUSED,
    BaselineEvaluation,
    ProvenAnswers,
    QualityStatus,
    RefusedAnswers,
)
from costpolicy.api.operation import Prompts
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.api.types import KvCacheDtype, RolloutMode, WeightFormat
from costpolicy.kube.gateway import Object
from costpolicy.manifests.evaluation_job import Contest, evaluation_job, evaluation_name
from costpolicy.manifests.identity import fingerprint
from costpolicy.manifests.weights import model_of
from costpolicy.planning.configuration import Answers
from costpolicy.quality.adequacy import Adequate, NothingToLose, judge_evaluation
from costpolicy.quality.pairs import PairedCounts
from costpolicy.quality.verdict import Inferior, NonInferior, judge
from costpolicy.quality.wording import in_words
from costpolicy.reconcile.evaluations import Asked
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.units import parse_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Examiner:
    """The means to have answers tested: a policy's own prompts, and the image that asks them."""

    policy: CostPolicy
    prompts: Prompts
    image: str

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self | None:
        """Return that of a policy; ``None`` where what can alter answers is only recommended."""
        evaluation = snapshot.policy.spec.quality.evaluation
        prompts = evaluation.prompts if evaluation else None
        if prompts is None or not snapshot.evaluator_image or snapshot.mode is not RolloutMode.AUTO:
            return None
        return cls(policy=snapshot.policy, prompts=prompts, image=snapshot.evaluator_image)

    @property
    def max_loss(self) -> str:
        """The largest loss to accept, as the policy says it."""
        return self.policy.spec.quality.max_loss

    @property
    def question(self) -> str:
        """What tells this question from others, whichever variants are asked, and by which image.

        The model is a part of it: what was refused is told by the place of its checkpoint in the policy's list.
        """
        asked = {"prompts": self.prompts.to_json(), "maxLoss": self.max_loss}
        model = model_of(self.policy)
        weights = {"source": model.source.to_json(), "checkpoints": [each.to_json() for each in model.checkpoints]}
        return fingerprint({**asked, "weights": weights})

    def name(self, contest: Contest) -> str:
        """Return the name of a Job."""
        return evaluation_name(self.policy, self.prompts, contest, self.image)

    def job(self, contest: Contest) -> Object:
        """Return a Job."""
        return evaluation_job(self.policy, self.prompts, contest, self.image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of answers now.

    Attributes:
        quality: for the status; ``None``: nothing.
        outdated: names of Jobs that asked other prompts than each other: both have to be asked again.
    """

    quality: QualityStatus | None
    outdated: tuple[str, ...] = ()

    def refused(self, answers: Answers) -> RefusedAnswers | None:
        """Return why some answers are not asked for again, if they are not."""
        key = key_of(answers)
        return next((one for one in (self.quality.refused if self.quality else ()) if one.key == key), None)

    def proves(self, canary: LiveVariant, stable: LiveVariant) -> ProvenAnswers | None:
        """Return what shows that a canary answers no worse than what serves, if anything does."""
        proven = self.quality.proven if self.quality else ()
        return next((one for one in proven if (one.variant, one.baseline) == (canary.hash, stable.hash)), None)

    @property
    def full(self) -> bool:
        """Whether so much was refused that more could not be remembered: then nothing else is tried."""
        return self.quality is not None and len(self.quality.refused) >= MOST_REFUSED


def findings(snapshot: Snapshot, examiner: Examiner | None) -> Findings:
    """Return what status says of answers, with what Jobs have found since."""
    status = snapshot.policy.status
    before = status.quality if status and status.quality else QualityStatus()
    stable = snapshot.live.stable
    if examiner is None or stable is None:
        return Findings(quality=_something(before))
    if before.question != examiner.question:
        before = before.model_copy(update={"question": examiner.question, "refused": ()})
    baseline = _baseline(before.baseline, snapshot, examiner, stable)
    quality = before.model_copy(update={"baseline": baseline, "proven": _still_proven(before.proven, snapshot)})
    for canary in snapshot.live.others:
        contest = Contest(baseline=stable.hash, canary=canary.hash)
        asked = snapshot.evaluations.get(examiner.name(contest))
        if canary.configuration is None or baseline is None or not isinstance(asked, Asked):
            continue
        if asked.result.prompts_digest != baseline.prompts_digest:
            names = (baseline.job, examiner.name(contest))
            return Findings(quality=quality.model_copy(update={"baseline": None}), outdated=names)
        quality = _judged(quality, asked.result.counts, baseline, stable, canary)
    return Findings(quality=_something(quality))


def refused_answers(quality: QualityStatus | None) -> frozenset[Answers]:
    """Return what is not asked again."""
    return frozenset(
        Answers(WeightFormat(one.weights), one.checkpoint, KvCacheDtype(one.kv_cache_dtype))
        for one in (quality.refused if quality else ())
    )


def counts_of(baseline: BaselineEvaluation) -> PairedCounts:
    """Return the counts of the baseline against itself."""
    return PairedCounts(
        both_right=baseline.both_right, lost=baseline.lost, gained=baseline.gained, both_wrong=baseline.both_wrong
    )


def _something(quality: QualityStatus) -> QualityStatus | None:
    return quality if quality != QualityStatus() else None


def _baseline(
    known: BaselineEvaluation | None, snapshot: Snapshot, examiner: Examiner, stable: LiveVariant
) -> BaselineEvaluation | None:
    """Return what is known of the baseline against itself; nothing of another baseline, prompts or image."""
    name = examiner.name(Contest(baseline=stable.hash, canary=stable.hash))
    if known is not None and known.job == name:
        return known if known.max_loss == examiner.max_loss else _judged_alone(known, examiner.max_loss)
    asked = snapshot.evaluations.get(name)
    if not isinstance(asked, Asked):
        return None
    counts = asked.result.counts
    found = BaselineEvaluation(
        job=name,
        prompts_digest=asked.result.prompts_digest,
        both_right=counts.both_right,
        lost=counts.lost,
        gained=counts.gained,
        both_wrong=counts.both_wrong,
        seconds=max(int(asked.took.total_seconds()), 0),
        max_loss=examiner.max_loss,
        verdict="NothingToLose",
    )
    return _judged_alone(found, examiner.max_loss)


def _judged_alone(found: BaselineEvaluation, max_loss: str) -> BaselineEvaluation:
    adequacy = judge_evaluation(counts_of(found), parse_ratio(max_loss))
    return found.model_copy(
        update={
            "max_loss": max_loss,
            "verdict": type(adequacy).__name__,
            "margin": 0.0 if isinstance(adequacy, NothingToLose) else adequacy.margin,
            "message": "" if isinstance(adequacy, Adequate) else in_words(adequacy),
        }
    )


def _judged(
    quality: QualityStatus,
    counts: PairedCounts,
    baseline: BaselineEvaluation,
    stable: LiveVariant,
    canary: LiveVariant,
) -> QualityStatus:
    if canary.configuration is None or baseline.verdict != "Adequate":
        return quality
    answers, verdict = canary.configuration.answers, judge(counts, baseline.margin)
    fields = {
        "key": key_of(answers),
        "weights": answers.weights,
        "checkpoint": answers.checkpoint,
        "kv_cache_dtype": answers.kv_cache_dtype,
        "message": f"{counts.lost} of {counts.pairs} prompts lost, {counts.gained} gained: {in_words(verdict)}",
    }
    if isinstance(verdict, NonInferior):
        proven = ProvenAnswers.model_validate({"variant": canary.hash, "baseline": stable.hash, **fields})
        known = tuple(one for one in quality.proven if one.key != proven.key)
        return quality.model_copy(update={"proven": (proven, *known)[:MOST_PROVEN]})
    reason = Reason.QUALITY_INFERIOR if isinstance(verdict, Inferior) else Reason.EVALUATION_INCONCLUSIVE
    refused = RefusedAnswers.model_validate({"reason": reason, **fields})
    others = tuple(one for one in quality.refused if one.key != refused.key)
    return quality.model_copy(update={"refused": (refused, *others)[:MOST_REFUSED]})


def _still_proven(proven: tuple[ProvenAnswers, ...], snapshot: Snapshot) -> tuple[ProvenAnswers, ...]:
    """Return the proofs of what still answers in the way that was proven."""
    answering = {key_of(one.configuration.answers) for one in snapshot.live.variants if one.configuration is not None}
    return tuple(one for one in proven if one.key in answering)


def key_of(answers: Answers) -> str:
    """Return the name of a way to answer."""
    checkpoint = "-" if answers.checkpoint is None else answers.checkpoint
    return f"{answers.weights}/{checkpoint}/{answers.kv_cache_dtype}"
