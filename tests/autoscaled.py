"""A HorizontalPodAutoscaler's controller for the simulated cluster: it keeps bounds, rests at 0, and otherwise wants what
the test says.

Like the real one it writes through the scale subresource, which makes it the owner of ``.spec.replicas``.
"""

from costpolicy.kube.gateway import Object, ObjectRef, reference
from costpolicy.kube.kinds import DEPLOYMENT, HORIZONTAL_POD_AUTOSCALER
from costpolicy.simulation.world import World

CONTROLLER = "kube-controller-manager"


class SimulatedAutoscaler:
    """Acts on every HorizontalPodAutoscaler of a world whenever its cluster settles.

    ``wanted`` is what metrics ask for; ``None``: there are no metrics.
    """

    def __init__(self, world: World, wanted: int | None) -> None:
        self.wanted = wanted
        self._world = world
        settle = world.cluster.settle

        def settled() -> None:
            self._act()
            settle()

        world.cluster.settle = settled  # type: ignore[method-assign]

    def _act(self) -> None:
        kind = HORIZONTAL_POD_AUTOSCALER
        for item in list(self._world.store.kind(kind.api_version, kind.kind)):
            ref = ObjectRef(
                api_version=DEPLOYMENT.api_version,
                kind=DEPLOYMENT.kind,
                name=item["spec"]["scaleTargetRef"]["name"],
                namespace=item["metadata"]["namespace"],
            )
            target = self._world.store.get(ref)
            if target is not None:
                self._say(item, self._scale(item["spec"], ref, target["spec"]["replicas"]))

    def _scale(self, spec: Object, ref: ObjectRef, current: int) -> tuple[str, str]:
        if current == 0:
            return "False", "ScalingDisabled"
        wanted = max(spec["minReplicas"], min(current if self.wanted is None else self.wanted, spec["maxReplicas"]))
        if wanted != current:
            self._world.store.edit(ref, {"spec": {"replicas": wanted}}, CONTROLLER)
        return ("False", "FailedGetExternalMetric") if self.wanted is None else ("True", "ValidMetricFound")

    def _say(self, item: Object, active: tuple[str, str]) -> None:
        conditions = [
            {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
            {"type": "ScalingActive", "status": active[0], "reason": active[1]},
        ]
        self._world.store.set_status(reference(item), {"conditions": conditions})
