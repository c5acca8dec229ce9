"""Writes: a decision carried out through the Gateway, in an order that may be interrupted anywhere.

Services and the like first (a name that is taken shows before an accelerator is spent), then Deployments with their
replicas, then deletions, so that nothing that serves is taken away before what replaces it is there.  The hand-over of
``.spec.replicas`` follows the rules of server-side apply: the creating apply carries the count, the second manager
applies the same, and only then does the first one drop it.  Where an autoscaler writes the count, the second manager lets
go once somebody else owns the field: it would fall back to 1 if nobody did.
"""

from typing import Final

from costpolicy.kube.gateway import Event, FieldManager, Gateway, Object, ObjectRef
from costpolicy.kube.ownership import owners_of
from costpolicy.manifests.deployment import no_replicas, replicas, with_replicas
from costpolicy.reconcile.decision import Decision, News, WantedDeployment

REPLICAS: Final = ("spec", "replicas")


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
    live = gateway.read(wanted.ref)
    if wanted.replicas is None:
        if live is None:  # deleted a moment ago: the next decision creates it anew
            return
        _let_go(wanted.ref, live, gateway)
    else:
        if live is None and wanted.intent is not None:
            gateway.apply(with_replicas(wanted.intent, wanted.replicas), FieldManager.OPERATOR)
        gateway.apply(replicas(wanted.ref.name, wanted.ref.namespace, wanted.replicas), FieldManager.REPLICAS)
    if wanted.intent is not None:
        gateway.apply(wanted.intent, FieldManager.OPERATOR)


def _let_go(ref: ObjectRef, live: Object, gateway: Gateway) -> None:
    """Give up the count where somebody else owns it; until then hold the stored one, whatever it is."""
    owners = owners_of(live, REPLICAS)
    if owners - {FieldManager.OPERATOR, FieldManager.REPLICAS}:
        gateway.apply(no_replicas(ref.name, ref.namespace), FieldManager.REPLICAS)
    elif FieldManager.REPLICAS not in owners:
        gateway.apply(replicas(ref.name, ref.namespace, live["spec"]["replicas"]), FieldManager.REPLICAS)


def _event(news: News, policy: ObjectRef) -> Event:
    return Event(regarding=policy, type=news.type, reason=news.reason, action="Reconcile", note=news.note)
