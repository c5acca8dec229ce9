"""Writes: a decision carried out through the Gateway, in an order that may be interrupted anywhere.

Services and the like first (a name that is taken shows before an accelerator is spent), then Deployments with their
replicas, then deletions, so that nothing that serves is taken away before what replaces it is there.  The hand-over of
``.spec.replicas`` follows the rules of server-side apply: the creating apply carries the count, the second manager
applies the same, and only then does the first one drop it.
"""

from costpolicy.kube.gateway import Event, FieldManager, Gateway, ObjectRef
from costpolicy.manifests.deployment import replicas, with_replicas
from costpolicy.reconcile.decision import Decision, News, WantedDeployment


def carry_out(decision: Decision, policy: ObjectRef, gateway: Gateway) -> None:
    """Write a decision.  Repeating it writes nothing.

    Raises:
        GatewayError: as the Gateway's methods do; what was written so far stays and the next decision goes on from it.
    """
    for item in decision.objects:
        gateway.apply(item, FieldManager.OPERATOR)
    for deployment in decision.deployments:
        _apply_deployment(deployment, gateway)
    for ref in decision.deletions:
        gateway.delete(ref)
    gateway.apply_status(policy, decision.status.to_json())
    for news in decision.news:
        gateway.publish(_event(news, policy))


def _apply_deployment(wanted: WantedDeployment, gateway: Gateway) -> None:
    counted = replicas(wanted.ref.name, wanted.ref.namespace, wanted.replicas)
    if wanted.intent is None:
        gateway.apply(counted, FieldManager.REPLICAS)
        return
    if gateway.read(wanted.ref) is None:
        gateway.apply(with_replicas(wanted.intent, wanted.replicas), FieldManager.OPERATOR)
    gateway.apply(counted, FieldManager.REPLICAS)
    gateway.apply(wanted.intent, FieldManager.OPERATOR)


def _event(news: News, policy: ObjectRef) -> Event:
    return Event(regarding=policy, type=news.type, reason=news.reason, action="Reconcile", note=news.note)
