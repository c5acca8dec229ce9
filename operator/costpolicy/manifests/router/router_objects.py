"""Everything that a namespace's router is made of."""

from costpolicy.manifests.router.calibration_job import calibration_cron_job
from costpolicy.manifests.router.configuration import configuration
from costpolicy.manifests.router.deployment import router_deployment
from costpolicy.manifests.router.disruption import router_disruption_budget
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.monitoring import router_pod_monitor
from costpolicy.manifests.router.network import router_network_policy
from costpolicy.manifests.router.service import router_service
from costpolicy.manifests.serialization import Object


def router_objects(router: Router, *, monitored: bool) -> tuple[Object, ...]:
    """Return the router's objects in the order in which they are applied: the configuration before what mounts it.

    Args:
        router: what was decided.
        monitored: whether the cluster has PodMonitors.

    Raises:
        ConfigurationTooLargeError: the configuration does not fit into a ConfigMap.
    """
    objects = (
        configuration(router),
        router_service(router),
        router_network_policy(router),
        router_deployment(router, monitored=monitored),
        router_disruption_budget(router),
    )
    monitors = (router_pod_monitor(router),) if monitored else ()
    renewals = router.renewals if router.operator_image else ()
    return (*objects, *monitors, *(calibration_cron_job(router, renewal) for renewal in renewals))
