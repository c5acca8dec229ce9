"""Evaluation Jobs: their controller, the pod that asks, and engines whose answers are truly so much worse.

What is drawn depends on the Job's name alone, so that the same question always gets the same answers.  Answers have the
lengths of what clients get; a node that is lost, and a pod that begins anew, are left out.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from costpolicy.api.types import JudgeType
from costpolicy.clock import Clock
from costpolicy.kube.gateway import JOB_LABEL, POLICY_LABEL, Object, ObjectRef, reference
from costpolicy.kube.kinds import CONFIG_MAP, DEPLOYMENT, JOB, POD
from costpolicy.manifests.evaluation_job import CONCURRENCY, PAUSE_KEY
from costpolicy.manifests.record import read_record
from costpolicy.planning.configuration import Answers
from costpolicy.quality.result import Arm, EvaluationResult
from costpolicy.simulation.metrics import Variant
from costpolicy.simulation.store import Store

_PATIENCE: Final = timedelta(minutes=3)
"""How long deployments that do not answer are asked, by three pods in turn."""
_WRITER: Final = "kube-controller-manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How other answers compare with what the source answers: shares of prompts that are judged otherwise, and lost."""

    discordance: float
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """The prompts of one ConfigMap, and what engines make of them.

    Attributes:
        score: share that the source's own format answers rightly.
        noise: share on which an engine differs from itself.
        effects: of formats that differ.
        failing: what the pod says instead of asking; empty: it asks.
    """

    prompts: int
    score: float = 0.9
    noise: float = 0.002
    effects: Mapping[Answers, Effect] = field(default_factory=dict)
    seconds: float = 8.0
    prompt_tokens: int = 1000
    output_tokens: int = 250
    edition: str = "first"
    failing: str = ""

    def pairs_per_second(self) -> float:
        """Prompts asked of both in a second, each of them one after the other."""
        return CONCURRENCY / (2 * self.seconds)


class Examination:
    """Moves evaluation Jobs on; ``exams`` is by namespace and name of the ConfigMap with the prompts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._asked: dict[str, float] = {}
        self._silent: dict[str, timedelta] = {}
        self.exams: dict[tuple[str, str], Exam] = {}
        self._load: dict[Variant, float] = {}

    def step(self, passed: timedelta) -> None:
        """Let every Job go on for some time."""
        self._load = {}
        for job in list(self._store.kind(JOB.api_version, JOB.kind)):
            status = job.get("status", {})
            if "conditions" in status:
                self._collect(job)
            elif "startTime" not in status:
                self._store.set_status(reference(job), {"startTime": self._now(), "active": 1})
            else:
                self._ask(job, passed)

    def asked_of(self, variant: Variant) -> float:
        """Return the requests per second that a variant is asked now."""
        return self._load.get(variant, 0.0)

    def _ask(self, job: Object, passed: timedelta) -> None:
        exam, uid = self._exam(job), job["metadata"]["uid"]
        began = datetime.fromisoformat(job["status"]["startTime"])
        if self._clock.now() - began >= timedelta(seconds=job["spec"]["activeDeadlineSeconds"]):
            self._end(job, "Failed", "", "Job was active longer than specified deadline")
        elif exam is None or self._paused(job):  # without its ConfigMap the pod is never created
            return
        elif exam.failing:
            self._end(job, "Failed", exam.failing, "Job has reached the specified backoff limit")
        elif not all(map(self._ready, _asked_of(job))):
            self._wait(job, uid, passed)
        else:
            self._go_on(job, uid, exam, passed)

    def _go_on(self, job: Object, uid: str, exam: Exam, passed: timedelta) -> None:
        rate = exam.pairs_per_second()
        self._silent.pop(uid, None)
        self._asked[uid] = self._asked.get(uid, 0.0) + rate * passed.total_seconds()
        for variant in _asked_of(job):
            key = self._variant(variant, job)
            self._load[key] = self._load.get(key, 0.0) + rate
        if self._asked[uid] >= exam.prompts:
            self._end(job, "Complete", self._result(job, exam).line(), "")

    def _wait(self, job: Object, uid: str, passed: timedelta) -> None:
        self._silent[uid] = self._silent.get(uid, timedelta(0)) + passed
        if self._silent[uid] >= _PATIENCE:
            self._end(job, "Failed", "connection refused", "Job has reached the specified backoff limit")

    def _result(self, job: Object, exam: Exam) -> EvaluationResult:
        baseline, canary = map(self._deployment, _asked_of(job))
        first, second = _effect(baseline, exam), _effect(canary, exam)
        loss = second.loss - first.loss
        discordance = max(exam.noise, second.discordance, first.discordance) if loss or first != second else exam.noise
        drawn = random.Random(job["metadata"]["name"])  # noqa: S311 - answers, not secrets
        lost = sum(drawn.random() < (discordance + loss) / 2 for _ in range(exam.prompts))
        gained = sum(drawn.random() < (discordance - loss) / 2 for _ in range(exam.prompts))
        both = round(exam.score * exam.prompts) - lost
        arm = Arm(prompt_tokens=exam.prompt_tokens * exam.prompts, output_tokens=exam.output_tokens * exam.prompts)
        return EvaluationResult(
            prompts_digest=exam.edition,
            judge=JudgeType.EXACT,
            both_right=both,
            lost=lost,
            gained=gained,
            both_wrong=exam.prompts - both - lost - gained,
            identical=exam.prompts - lost - gained,
            baseline=arm,
            canary=arm,
        )

    def _end(self, job: Object, kind: str, said: str, why: str) -> None:
        end = {"type": kind, "status": "True", "message": why, "lastTransitionTime": self._now()}
        metadata = job["metadata"]
        owner = {"apiVersion": JOB.api_version, "kind": JOB.kind, "name": metadata["name"], "uid": metadata["uid"]}
        phase = "Succeeded" if kind == "Complete" else "Failed"
        self._store.create(
            {
                "apiVersion": POD.api_version,
                "kind": POD.kind,
                "metadata": {
                    "name": f"{metadata['name']}-pod",
                    "namespace": metadata["namespace"],
                    "labels": {**job["spec"]["template"]["metadata"]["labels"], JOB_LABEL: metadata["name"]},
                    "ownerReferences": [owner],
                },
                "spec": {"nodeName": "without-accelerators"},
                "status": {"phase": phase, "containerStatuses": [{"state": {"terminated": {"message": said}}}]},
            },
            _WRITER,
        )
        completed = {"completionTime": self._now()} if kind == "Complete" else {}
        self._store.set_status(reference(job), {**job["status"], "active": 0, "conditions": [end], **completed})

    def _collect(self, job: Object) -> None:
        """Delete what ended long ago, as the controller of ``ttlSecondsAfterFinished`` does."""
        ended = datetime.fromisoformat(job["status"]["conditions"][0]["lastTransitionTime"])
        if self._clock.now() - ended >= timedelta(seconds=job["spec"]["ttlSecondsAfterFinished"]):
            self._store.delete(reference(job))

    def _exam(self, job: Object) -> Exam | None:
        volumes = job["spec"]["template"]["spec"]["volumes"]
        [name] = [one["configMap"]["name"] for one in volumes if one["name"] == "prompts"]
        return self.exams.get((job["metadata"]["namespace"], name))

    def _paused(self, job: Object) -> bool:
        metadata = job["metadata"]
        ref = ObjectRef(
            api_version=CONFIG_MAP.api_version,
            kind=CONFIG_MAP.kind,
            name=metadata["name"],
            namespace=metadata["namespace"],
        )
        found = self._store.get(ref)
        return found is not None and PAUSE_KEY in (found.get("data") or {})

    def _deployment(self, service: str) -> Object:
        """Return what answers behind a variant's own Service, which is named as its Deployment."""
        deployments = self._store.kind(DEPLOYMENT.api_version, DEPLOYMENT.kind)
        return next((item for item in deployments if item["metadata"]["name"] == service), {})

    def _ready(self, service: str) -> bool:
        return bool(self._deployment(service).get("status", {}).get("readyReplicas"))

    def _variant(self, service: str, job: Object) -> Variant:
        metadata = job["metadata"]
        return metadata["namespace"], metadata["labels"][POLICY_LABEL], service.rpartition("-")[2]

    def _now(self) -> str:
        return self._clock.now().isoformat()


def _asked_of(job: Object) -> tuple[str, str]:
    """Return the names of the two Services that are asked."""
    arguments: list[str] = job["spec"]["template"]["spec"]["containers"][0]["args"]
    given: dict[str, Any] = dict(one.split("=", 1) for one in arguments)
    return _host(given["--baseline"]), _host(given["--canary"])


def _host(url: str) -> str:
    return url.removeprefix("http://").partition(":")[0]


def _effect(deployment: Object, exam: Exam) -> Effect:
    record = read_record(deployment)
    found = exam.effects.get(record.configuration.answers) if record else None
    return found or Effect(discordance=0.0, loss=0.0)
