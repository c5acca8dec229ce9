"""The whole operator on one screen: from a snapshot and a time to a decision.  Pure.

Read it from the top: what only the user can mend stops here and changes nothing; modes Off and Recommend answer
with a plan; otherwise ``steer`` picks what runs next (create, follow the load, or take the next step of one change),
and its course becomes objects, replicas, deletions and a status that says why.
"""

from datetime import datetime

from costpolicy.api.types import RolloutMode
from costpolicy.api.validation import Problem
from costpolicy.kube.gateway import EventType
from costpolicy.reconcile.answer import answer, stalled_answer
from costpolicy.reconcile.autoscaling import autoscaling_of
from costpolicy.reconcile.children import left_over, objects_of
from costpolicy.reconcile.decision import Decision, News
from costpolicy.reconcile.inputs import Inputs
from costpolicy.reconcile.measurement import measurement_of
from costpolicy.reconcile.news import news_of
from costpolicy.reconcile.outlook import Outlook, look_ahead
from costpolicy.reconcile.replans import replanned
from costpolicy.reconcile.scaler import scaler_of
from costpolicy.reconcile.snapshot import Snapshot
from costpolicy.reconcile.steer import steer


def decide(snapshot: Snapshot, now: datetime) -> Decision:
    """Return what to do about one policy now."""
    match snapshot.inputs:
        case Problem() as problem:
            return _leave_alone(snapshot, problem, now)
        case Inputs() as inputs:
            outlook = replanned(look_ahead(snapshot, inputs, now), now)
    if snapshot.mode in (RolloutMode.OFF, RolloutMode.RECOMMEND):
        return _advise(outlook, now)
    return _act(outlook, now)


def _leave_alone(snapshot: Snapshot, problem: Problem, now: datetime) -> Decision:
    status = stalled_answer(snapshot, problem, now)
    news = news_of(snapshot, status, (News(type=EventType.WARNING, reason=problem.reason, note=problem.message),))
    return Decision(status=status, news=news)


def _advise(outlook: Outlook, now: datetime) -> Decision:
    measured = measurement_of(outlook.snapshot, now)
    status = answer(outlook, None, measured, now)
    return Decision(status=status, news=news_of(outlook.snapshot, status, measured.news), outlook=outlook)


def _act(outlook: Outlook, now: datetime) -> Decision:
    snapshot = outlook.snapshot
    course = steer(outlook, now)
    scaling = autoscaling_of(snapshot)
    objects, deployments = objects_of(snapshot, course, scaling, scaler_of(outlook, course, scaling))
    measured = measurement_of(snapshot, now)
    status = answer(outlook, course, measured, now)
    kept = (*objects, *(deployment.intent for deployment in deployments if deployment.intent))
    return Decision(
        objects=objects,
        deployments=deployments,
        deletions=left_over(snapshot, course, kept, outlook.findings.outdated) if course.variants else (),
        status=status,
        news=news_of(snapshot, status, (*course.news, *measured.news)),
        look_again=course.look_again,
        outlook=outlook,
    )
