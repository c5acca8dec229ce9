"""Worlds for scenarios and faults: two kinds of accelerator, one price book, a chat policy, and what became of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from builders import Document, policy_document, price_book_document
from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.kube.gateway import POLICY_LABEL, VARIANT_LABEL, Object, ObjectRef
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, JOB, OWNED, SERVICE
from costpolicy.manifests.record import read_record
from costpolicy.planning.configuration import Answers
from costpolicy.reconcile.reconciler import Defaults
from costpolicy.simulation.examination import Exam
from costpolicy.simulation.traffic import Constant, Curve, Traffic
from costpolicy.simulation.world import World

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""A Monday."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
QUARTER = 15 * MINUTE
KEY = ("default", "chat")
H100, L40S = "nvidia-h100-80gb", "nvidia-l40s"
BUSY = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
PLAIN = {name: {"mode": "Disabled"} for name in ("quantization", "kvCacheQuantization", "batching")}
"""Techniques off: fewer candidates, so that days fit into seconds."""


def prices(h100: str = "4.50", l40s: str = "1.86", **spec: Any) -> Document:
    """A price book with both accelerators on demand."""
    offerings = [
        {"accelerator": name, "capacityType": "OnDemand", "hourly": hourly}
        for name, hourly in ((H100, h100), (L40S, l40s))
    ]
    return price_book_document(offerings=offerings, **spec)


def chat(name: str = "chat", **spec: Any) -> Document:
    """A policy of Llama-3.1-8B with expected traffic; keywords are fields of the spec."""
    fields = {"traffic": BUSY, "techniques": PLAIN, "model": {"name": name}, **spec}
    return policy_document(name, **fields)


def world(h100: int = 8, l40s: int = 8, book: Document | None = None, **settings: Any) -> World:
    """A world with that many accelerators on one node each, and prices."""
    made = World(START, **settings)
    for name, count in ((H100, h100), (L40S, l40s)):
        if count:
            made.cluster.add_node(name.removeprefix("nvidia-"), name, count)
    made.apply(book or prices())
    return made


def serving(curve: Curve | None = None, **spec: Any) -> World:
    """A world in which the chat policy has been serving its traffic for a while."""
    made = world()
    made.apply(chat(**spec))
    made.traffic[KEY] = Traffic(curve=curve or Constant(2.0))
    made.run(QUARTER)
    return made


def conditions(of: World, name: str = "chat") -> dict[str, tuple[str, str]]:
    """Status and reason of each condition."""
    found = of.status("default", name).get("conditions", ())
    return {each["type"]: (each["status"], each["reason"]) for each in found}


def message(of: World, kind: str, name: str = "chat") -> str:
    """The message of a condition."""
    found: str = next(each for each in of.status("default", name)["conditions"] if each["type"] == kind)["message"]
    return found


def annotate(of: World, name: str = "chat", **annotations: str | None) -> None:
    """Annotate a policy as a user does; underscores become hyphens, ``None`` removes."""
    named = {f"costpolicy.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    of.store.edit(reference_of(name), {"metadata": {"annotations": named}}, "kubectl-annotate")


def reference_of(name: str = "chat") -> ObjectRef:
    """The address of a policy."""
    return ObjectRef(api_version=COST_POLICY.api_version, kind=COST_POLICY.kind, name=name, namespace="default")


def deployments(of: World, name: str = "chat") -> list[Object]:
    """The Deployments of a policy, oldest first."""
    found = [
        item
        for item in of.store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)
        if item["metadata"]["labels"].get(POLICY_LABEL) == name
    ]
    return sorted(found, key=lambda item: str(item["metadata"]["creationTimestamp"]))


def runs_on(of: World, name: str = "chat") -> list[tuple[str, int]]:
    """Accelerator and replicas of each variant."""
    return [
        (item["spec"]["template"]["metadata"]["labels"]["costpolicy.dev/accelerator"], item["spec"]["replicas"])
        for item in deployments(of, name)
    ]


def children(of: World) -> list[Object]:
    """Everything that policies own."""
    return [item for kind in OWNED for item in of.store.kind(kind.api_version, kind.kind)]


def ready_behind_the_service(of: World, name: str = "chat") -> int:
    """Ready replicas that the policy's Service sends traffic to."""
    ref = ObjectRef(api_version=SERVICE.api_version, kind=SERVICE.kind, name=name, namespace="default")
    service = of.store.get(ref)
    if service is None:
        return 0
    variant = service["spec"]["selector"].get(VARIANT_LABEL)
    return sum(
        item.get("status", {}).get("readyReplicas", 0)
        for item in deployments(of, name)
        if variant in (None, item["metadata"]["labels"][VARIANT_LABEL])
    )


def reasons(of: World) -> list[str]:
    """The reasons of all events so far."""
    return [event.reason for event in of.gateway.published]


def totals(of: World, since: datetime = START) -> dict[datetime, int]:
    """Replicas that were asked for at each moment, all variants together."""
    found: dict[datetime, int] = {}
    for moment in of.timeline:
        if moment.at >= since:
            found[moment.at] = found.get(moment.at, 0) + moment.replicas
    return found


def changes(values: Iterable[Any]) -> list[Any]:
    """Values without repetitions of the one before."""
    kept: list[Any] = []
    for value in values:
        if not kept or kept[-1] != value:
            kept.append(value)
    return kept


def essence(of: World) -> dict[str, Any]:
    """What may not depend on when the operator was killed: all but identities, times, what was paid, and versions."""
    status = dict(of.status(*KEY))
    paid = ("baseline", "current")
    status["measurement"] = {key: each for key, each in status.get("measurement", {}).items() if key not in paid}
    return {
        "children": [_without_identity(item) for item in children(of)],
        "status": _without_times({key: each for key, each in status.items() if key != "spending"}),
    }


def _without_identity(item: dict[str, Any]) -> dict[str, Any]:
    names = ("uid", "resourceVersion", "creationTimestamp", "generation")
    metadata = {key: value for key, value in item["metadata"].items() if key not in names}
    return {**item, "metadata": metadata, "status": {}}


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_times(each) for key, each in value.items() if not key.endswith(("At", "Time", "Since", "at"))
        }
    return [_without_times(each) for each in value] if isinstance(value, list) else value


QUESTIONS = {"configMapRef": {"name": "questions"}}
FP8 = Answers(WeightFormat.FP8, None, KvCacheDtype.AUTO)
KV_FP8 = Answers(WeightFormat.BF16, None, KvCacheDtype.FP8)
GATED = {**PLAIN, "quantization": {"mode": "Auto", "formats": ["fp8"]}}
"""FP8 weights through the gate, and nothing else that alters answers."""


def examined(exam: Exam, rate: float = 5.0, book: Document | None = None, **spec: Any) -> World:
    """A world in which 16-bit weights need more replicas than FP8 ones, and prompts are there to compare their answers."""
    made = world(book=book or prices(h100="20.00"), defaults=Defaults(evaluator_image="registry.example/operator:1"))
    made.exams["default", "questions"] = exam
    fields = {
        "techniques": GATED,
        "traffic": {**BUSY, "requestsPerSecond": rate},
        "rollout": {"mode": "Auto", "canary": {"duration": "10m"}},
        "quality": {"maxLoss": "2%", "evaluation": {"prompts": QUESTIONS}},
        **spec,
    }
    made.apply(chat(**fields))
    made.traffic[KEY] = Traffic(curve=Constant(rate))
    return made


def weights(of: World, name: str = "chat") -> list[str]:
    """Format of the weights of each variant, oldest first."""
    records = [read_record(item) for item in deployments(of, name)]
    return [record.configuration.weights.value for record in records if record is not None]


def jobs(of: World) -> list[Object]:
    """The Jobs of the world."""
    return list(of.store.kind(JOB.api_version, JOB.kind))
