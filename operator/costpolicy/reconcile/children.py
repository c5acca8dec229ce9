"""The objects of a course: what exists of a policy, and what of it goes."""

from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.kinds import JOB
from costpolicy.reconcile.autoscaling import Autoscaling
from costpolicy.reconcile.course import Course, WantedVariant
from costpolicy.reconcile.decision import WantedDeployment
from costpolicy.reconcile.evaluations import is_over
from costpolicy.reconcile.snapshot import Snapshot


def objects_of(
    snapshot: Snapshot, course: Course, scaling: Autoscaling, autoscalers: tuple[Object, ...]
) -> tuple[tuple[Object, ...], tuple[WantedDeployment, ...]]:
    """Return the objects to apply, Deployments apart because their replicas belong to a second field manager.

    Autoscalers come before Deployments: their bounds hold before a count is changed.
    """
    objects: list[Object] = []
    if course.variants:  # first, because a Service of that name may belong to somebody else
        # The larger of two variants and not their sum: a surge of one replica must not make a budget come and go.
        replicas = max(variant.replicas for variant in course.variants)
        monitored = snapshot.pod_monitor
        objects += snapshot.renderings.of_policy(snapshot.policy, course.service, replicas, monitored=monitored)
    deployments: list[WantedDeployment] = []
    for variant in course.variants:
        if variant.objects is None:
            deployments += _left_alone(snapshot, variant, scaling)
            continue
        for item in variant.objects:
            if item["kind"] == "Deployment":
                count = _count(snapshot, variant, scaling)
                deployments.append(WantedDeployment(ref=reference(item), intent=item, replicas=count))
            else:
                objects.append(item)
    if course.asked is not None:
        objects += course.asked.objects
    return (*objects, *autoscalers), tuple(deployments)


def left_over(
    snapshot: Snapshot, course: Course, kept: tuple[Object, ...], outdated: tuple[str, ...] = ()
) -> tuple[ObjectRef, ...]:
    """Return the owned objects that belong to no wanted variant and are not wanted themselves.

    Jobs that are over stay for whoever wants to read their logs, and go by themselves after a day; all but those that are
    ``outdated``.
    """
    hashes = {variant.hash for variant in course.variants}
    wanted = {(item["kind"], item["metadata"]["name"]) for item in kept}
    if course.asked is not None:
        wanted.add((JOB.kind, course.asked.job))
    return tuple(
        reference(item)
        for item in snapshot.owned
        if (item["kind"], item["metadata"]["name"]) not in wanted
        and not (item["kind"] == JOB.kind and is_over(item) and item["metadata"]["name"] not in outdated)
        and item["metadata"].get("labels", {}).get("costpolicy.dev/variant") not in hashes
    )


def _left_alone(snapshot: Snapshot, variant: WantedVariant, scaling: Autoscaling) -> list[WantedDeployment]:
    live = snapshot.live.variant(variant.hash)
    count = _count(snapshot, variant, scaling)
    return [] if live is None else [WantedDeployment(ref=live.ref, intent=None, replicas=count)]


def _count(snapshot: Snapshot, variant: WantedVariant, scaling: Autoscaling) -> int | None:
    live = snapshot.live.variant(variant.hash)
    return variant.replicas if live is None else scaling.count_of(live, variant.replicas)
