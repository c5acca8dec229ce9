"""The autoscaler that a course asks for: which variant it scales, between which bounds, by which targets."""

from costpolicy.catalog.accelerators import accelerators
from costpolicy.kube.autoscaler import CARRIED_ANNOTATION
from costpolicy.kube.gateway import Object
from costpolicy.kube.kinds import HORIZONTAL_POD_AUTOSCALER
from costpolicy.manifests.autoscaler import ScalerInputs, horizontal_pod_autoscaler, scaled_object
from costpolicy.observe.autoscaling import load_of_policy
from costpolicy.observe.scope import Scope
from costpolicy.planning.autoscaling import load_targets, replica_limits
from costpolicy.planning.configuration import Configuration
from costpolicy.reconcile.autoscaling import Autoscaling
from costpolicy.reconcile.course import Course, WantedVariant
from costpolicy.reconcile.outlook import Outlook
from costpolicy.rollout.transition import Phase


def scaler_of(outlook: Outlook, course: Course, scaling: Autoscaling) -> tuple[Object, ...]:
    """Return the autoscaler of the variant that serves in a course; nothing where there is to be none."""
    stable = next((variant for variant in course.variants if variant.role == "Stable"), None)
    configuration = _configuration(outlook, stable) if stable else None
    if scaling.kind is None or stable is None or configuration is None:
        return ()
    accelerator = accelerators()[configuration.accelerator]
    inputs = ScalerInputs(
        policy=outlook.snapshot.policy,
        variant=stable.hash,
        bounds=_bounds(outlook, course, stable, configuration),
        targets=load_targets(outlook.planned.evaluation.replica(configuration, accelerator)),
        stopped=stable.replicas == 0,
        annotations=_noted(outlook, course, scaling),
    )
    if scaling.kind == HORIZONTAL_POD_AUTOSCALER:
        return (horizontal_pod_autoscaler(inputs),)
    means, metadata = outlook.snapshot.scaling, outlook.snapshot.policy.metadata
    scope = Scope(matchers=means.prometheus_matchers)
    queries = {signal: load_of_policy(scope, signal, metadata.namespace, metadata.name) for signal in inputs.targets}
    return (scaled_object(inputs, means.prometheus_url, queries),)


def _configuration(outlook: Outlook, stable: WantedVariant) -> Configuration | None:
    """Return what the variant runs with, live or still planned, if the catalogue knows its accelerator."""
    live, target = outlook.snapshot.live.variant(stable.hash), outlook.plan.target
    found = live.configuration if live else target.configuration if target else None
    return found if found is not None and found.accelerator in accelerators() else None


def _bounds(outlook: Outlook, course: Course, stable: WantedVariant, configuration: Configuration) -> tuple[int, int]:
    """Return fewest and most replicas: the policy's, of now; its budget stops growth, and takes nothing away.

    While a change is under way that has no evidence to wait for, or no accelerator to spare, both are the present count: what
    serves is then only replaced.
    """
    bounds, wanted = outlook.bounds, stable.replicas
    if wanted > 0 and _is_being_replaced(outlook, course, configuration):
        return wanted, wanted
    return replica_limits(outlook.request, configuration, (bounds.minimum, bounds.maximum), wanted)


def _is_being_replaced(outlook: Outlook, course: Course, configuration: Configuration) -> bool:
    if course.rollout is None or not _under_way(course):
        return False
    return course.rollout.trigger != "BetterPlan" or outlook.spare_replicas(configuration) == 0


def _noted(outlook: Outlook, course: Course, scaling: Autoscaling) -> dict[str, str]:
    """Return the note of how many replicas a change has to replace, while one is under way."""
    stable = outlook.snapshot.live.stable
    carried = scaling.carried_by(stable) if stable is not None and _under_way(course) else 0
    return {CARRIED_ANNOTATION: str(carried)} if carried else {}


def _under_way(course: Course) -> bool:
    """Return whether a change goes on: its variant exists, or room is made for it."""
    replacing = course.rollout is not None and course.rollout.phase == Phase.REPLACING
    return replacing or any(variant.role == "Canary" for variant in course.variants)
