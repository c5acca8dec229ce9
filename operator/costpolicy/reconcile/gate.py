"""The quality gate: what can alter answers is asked about first, and waits until it was shown to be no worse.

Before an accelerator is spent the baseline is asked twice: whether the prompts can show anything.  Then the canary is asked
the same, through its own Service, before a client gets any of its answers.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias, assert_never

from costpolicy.api.reasons import Reason
from costpolicy.kube.gateway import EventType, Object
from costpolicy.manifests.evaluation_job import Contest, pause_map
from costpolicy.planning.options import alters_answers
from costpolicy.planning.plan import Rejection, Target
from costpolicy.reconcile.canary import arm_of
from costpolicy.reconcile.change import Change, Keep, better_plan, edited, held_until, rollback_asked
from costpolicy.reconcile.course import Questions
from costpolicy.reconcile.decision import News
from costpolicy.reconcile.evaluations import Asked, Asking, Failed
from costpolicy.reconcile.findings import Examiner
from costpolicy.reconcile.live import LiveVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.rejected import rejected
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.rollout.disruption import evaluation_time
from costpolicy.rollout.verdict import MONEY, Hold

MENDED_WITHIN: Final = timedelta(hours=1)
"""How long a canary waits after its evaluation failed: time to mend it, and no more, since its accelerators are paid for."""
RESTS_FOR: Final = timedelta(minutes=10)
"""How long nothing is asked at least once what serves has missed an objective: two windows of rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless:
    """Its answers are no worse, or cannot differ; ``message`` is the proof."""

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """It is being found out, or cannot be at the moment."""

    hold: Hold
    questions: Questions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It was not shown, and is not asked for again."""

    reason: Reason
    message: str


Proof: TypeAlias = Harmless | Waiting | Refused


def proof_of(outlook: Outlook, stable: LiveVariant, canary: LiveVariant, now: datetime) -> Proof:
    """Return whether a canary may answer clients."""
    configuration, found = canary.configuration, outlook.findings
    proven = found.proves(canary, stable)
    if proven is not None:
        return Harmless(message=proven.message)
    if configuration is None or not alters_answers(outlook.request, configuration):
        return Harmless()
    refused = found.refused(configuration.answers)
    if refused is not None:
        return Refused(reason=Reason(refused.reason), message=refused.message)
    if outlook.examiner is None:
        return Waiting(hold=_failed("nobody is there to ask the new variant: its policy names no prompts any more"))
    if not canary.ready:
        return Waiting(hold=_running("the new variant starts; it is asked before clients are sent to it"))
    alone = _alone(outlook, outlook.examiner, stable, now)
    if isinstance(alone, Harmless):
        contest = Contest(baseline=stable.hash, canary=canary.hash)
        alone = _ask(outlook, outlook.examiner, contest, (stable, canary), now)
    return _given_up(alone, now) if isinstance(alone, Failed) else alone


def stands_in_the_way(
    outlook: Outlook, stable: LiveVariant, canary: LiveVariant, plain: Change | Keep, now: datetime
) -> tuple[Reason, str] | None:
    """Return why a canary goes whose answers nothing is known of, or known to be worse."""
    match proof_of(outlook, stable, canary, now):
        case Refused(reason=reason, message=message):
            return reason, message
        case Waiting() if isinstance(plain, Change) and plain.trigger == "OutOfStock":
            return Reason.EVALUATION_FAILED, f"there is nothing left to compare its answers with: {plain.message}"
        case _:
            return None


def through_the_gate(
    outlook: Outlook, stable: LiveVariant, running: Target | Rejection, plain: Change | Keep, now: datetime
) -> Change | Keep:
    """Return what to do about the best plan that can alter answers; ``plain`` is what is to be done without it.

    What the gate does not let pass never keeps a change from being made that alters no answer.
    """
    if outlook.examiner is None or _goes_first(outlook, running, plain, now):
        return plain
    alone, target = _alone(outlook, outlook.examiner, stable, now), outlook.plan.recommended
    if target is None or outlook.findings.full:
        return _finished(outlook, alone, plain, _last_refused(outlook))
    hold = _not_worth_it(outlook, target, running, now) or _tried_before(outlook, target)
    if hold is not None:
        return _finished(outlook, alone, plain, hold)
    wanted = better_plan(outlook, target, running, now, _standing_by(outlook, target))
    match alone:
        case Refused(reason=reason, message=message):
            return _rather(plain, Hold(reason=reason, message=message))
        case Failed(message=message):
            return _rather(plain, _failed(f"what serves could not be asked: {message}"))
        case Waiting() if isinstance(wanted, Change) or _is_asking(outlook, alone):
            return Keep(hold=alone.hold, proposed=wanted.proposed, asked=alone.questions)
        case Waiting() | Harmless():
            return wanted
        case _:
            assert_never(alone)


def _goes_first(outlook: Outlook, running: Target | Rejection, plain: Change | Keep, now: datetime) -> bool:
    """Return whether the user's word, or that what serves cannot serve on, leaves no time for questions."""
    snapshot = outlook.snapshot
    if isinstance(plain, Change):
        urgent = plain.trigger != "BetterPlan" or isinstance(running, Rejection)
    else:
        urgent = plain.hold is not None and plain.hold.reason == Reason.SPOT_LOST
    asked = edited(snapshot) or rollback_asked(snapshot) or held_until(snapshot, now) is not None
    return urgent or asked or outlook.plan.target is None


def _alone(
    outlook: Outlook, examiner: Examiner, stable: LiveVariant, now: datetime
) -> Harmless | Refused | Waiting | Failed:
    """Return whether the prompts can show anything of what serves."""
    baseline = outlook.findings.quality.baseline if outlook.findings.quality else None
    if baseline is None:
        return _ask(outlook, examiner, Contest(baseline=stable.hash, canary=stable.hash), (stable,), now)
    if baseline.verdict == "Adequate":
        return Harmless()
    return Refused(reason=Reason.EVALUATION_TOO_SMALL, message=baseline.message)


def _ask(
    outlook: Outlook, examiner: Examiner, contest: Contest, asked: tuple[LiveVariant, ...], now: datetime
) -> Waiting | Failed:
    job = examiner.name(contest)
    whom = (
        "what serves is asked twice"
        if contest.baseline == contest.canary
        else "what serves and the new variant are asked"
    )
    hold = _running(f"{whom}, by Job {job}")
    match outlook.snapshot.evaluations.get(job):
        case None if all(variant.ready for variant in asked):
            news = (News(type=EventType.NORMAL, reason=Reason.EVALUATION_RUNNING, note=hold.message),)
            return Waiting(hold=hold, questions=Questions(job=job, objects=(examiner.job(contest),), news=news))
        case None:
            return Waiting(hold=_running(f"{whom} once they are ready"))
        case Asking() as asking:
            pause = _pause(outlook, job, asking, asked, now)
            return Waiting(hold=hold, questions=Questions(job=job, objects=pause))
        case Failed() as failed:
            return failed
        case Asked():  # it asked other prompts than the evaluation before: both go, and are asked again
            return Waiting(hold=_running("the prompts have changed meanwhile: all are asked again"))
        case _ as never:
            assert_never(never)


def _pause(
    outlook: Outlook, job: str, asking: Asking, asked: tuple[LiveVariant, ...], now: datetime
) -> tuple[Object, ...]:
    """Return the ConfigMap that lets clients go first while what serves misses their objectives, and for a while after: what
    is asked may be what it misses them for.  Where metrics cannot be read nothing is changed.
    """
    if isinstance(outlook.snapshot.observed, MetricsDown):
        return ()
    arm, since = arm_of(outlook, asked[0]), asking.paused_since
    missed = (arm is not None and bool(arm.missed)) or not all(variant.ready for variant in asked)
    rests = since is not None and since <= now < since + RESTS_FOR
    paused = (since or now) if missed or rests else None
    return (pause_map(outlook.snapshot.policy, job, asking.uid, paused),)


def _given_up(failed: Failed, now: datetime) -> Waiting | Refused:
    message = f"the new variant could not be compared: {failed.message}"
    if now < failed.ended + MENDED_WITHIN:
        return Waiting(hold=_failed(message))
    return Refused(reason=Reason.EVALUATION_FAILED, message=message)


def _is_asking(outlook: Outlook, alone: Waiting) -> bool:
    """Return whether a Job runs already.  It is finished whatever the plan is meanwhile: what it asks is load too, and must
    not make the plan come and go.
    """
    job = alone.questions.job if alone.questions else ""
    return isinstance(outlook.snapshot.evaluations.get(job), Asking)


def _finished(
    outlook: Outlook, alone: Harmless | Refused | Waiting | Failed, plain: Change | Keep, hold: Hold | None
) -> Change | Keep:
    """Return the plain plan, once a Job that runs has come to its end."""
    if isinstance(alone, Waiting) and _is_asking(outlook, alone):
        return Keep(hold=alone.hold, proposed=plain.proposed, asked=alone.questions)
    return _rather(plain, hold)


def _rather(plain: Change | Keep, hold: Hold | None) -> Change | Keep:
    """Return the plain plan; where there is none, why there is no better one."""
    if isinstance(plain, Change) or hold is None or (plain.hold is not None and plain.hold.reason not in MONEY):
        return plain
    return replace(plain, hold=hold)


def _not_worth_it(outlook: Outlook, target: Target, running: Target | Rejection, now: datetime) -> Hold | None:
    """Return that a plan saves too little, beside what runs or beside the best plan that alters no answer."""
    for other in (running, outlook.plan.target):
        verdict = better_plan(outlook, target, other, now, _standing_by(outlook, target)) if other is not None else None
        if isinstance(verdict, Keep) and verdict.hold is not None and verdict.hold.reason in MONEY:
            return verdict.hold
    return None


def _tried_before(outlook: Outlook, target: Target) -> Hold | None:
    before = rejected(outlook, Change(target=target, trigger="BetterPlan", message=""))
    if before is None:
        return None
    return Hold(
        reason=Reason.ROLLED_BACK, message=f"{before.variant} was tried before and taken back ({before.reason})"
    )


def _standing_by(outlook: Outlook, target: Target) -> timedelta:
    """Return what an evaluation costs in time of all replicas: as long as it took to ask what serves."""
    baseline = outlook.findings.quality.baseline if outlook.findings.quality else None
    took = timedelta(seconds=baseline.seconds if baseline else 0)
    return evaluation_time(target.replicas, outlook.snapshot.policy.spec.rollout.canary, took)


def _last_refused(outlook: Outlook) -> Hold | None:
    refused = outlook.findings.quality.refused if outlook.findings.quality else ()
    if not refused:
        return None
    last = refused[0]
    what = f"{last.weights} weights with {last.kv_cache_dtype} KV cache"
    return Hold(reason=Reason(last.reason), message=f"{what}: {last.message}; the same prompts are not asked again")


def _running(message: str) -> Hold:
    return Hold(reason=Reason.EVALUATION_RUNNING, message=message)


def _failed(message: str) -> Hold:
    return Hold(reason=Reason.EVALUATION_FAILED, message=message)
