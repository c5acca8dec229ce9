"""The objects that a policy has once, whatever variants it runs."""

from costpolicy.api.policy import CostPolicy
from costpolicy.manifests.disruption import disruption_budget
from costpolicy.manifests.monitoring import pod_monitor
from costpolicy.manifests.serialization import Object
from costpolicy.manifests.services import policy_service


def policy_objects(policy: CostPolicy, stable: str | None, replicas: int, *, monitored: bool) -> tuple[Object, ...]:
    """Return the policy's Service, its disruption budget and, where that kind exists, its PodMonitor.

    Args:
        policy: whose objects.
        stable: hash of the variant that gets all traffic; ``None`` while it is shared among variants.
        replicas: of all variants together. A budget exists only above one: it would block every drain of the
            node that carries a single replica, for ever.
        monitored: whether the cluster has PodMonitors.
    """
    objects = [policy_service(policy, stable)]
    if replicas > 1:
        objects.append(disruption_budget(policy))
    if monitored:
        objects.append(pod_monitor(policy))
    return tuple(objects)
