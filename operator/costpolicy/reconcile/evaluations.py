"""What evaluation Jobs are doing and have found, read from the cluster alone: by name, which is a hash of the question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from costpolicy.kube.gateway import Gateway, Object, ObjectRef, Pod
from costpolicy.kube.kinds import CONFIG_MAP, JOB
from costpolicy.manifests.evaluation_job import Contest, contest_of, paused_since
from costpolicy.quality.result import EvaluationResult, ResultError, parse_result


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Prompts are being asked, or the pod is not there yet; ``uid`` is the Job's, ``paused_since`` when it was paused."""

    uid: str
    paused_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All prompts were asked."""

    contest: Contest
    result: EvaluationResult
    began: datetime
    ended: datetime

    @property
    def took(self) -> timedelta:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There is no result: why, in the pod's own words, and since when."""

    message: str
    ended: datetime


Examination: TypeAlias = Asking | Asked | Failed


class Evaluations:
    """Reads Jobs; what has ended is asked of the cluster once, as long as this process lives."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ended: dict[tuple[str, str], dict[str, Asked | Failed]] = {}

    def of(self, namespace: str, policy: str, owned: Sequence[Object]) -> Mapping[str, Examination]:
        """Return a policy's evaluations by the names of their Jobs.

        Raises:
            GatewayError: the pods of one that has ended cannot be read.
        """
        before = self._ended.get((namespace, policy), {})
        found: dict[str, Examination] = {}
        ended: dict[str, Asked | Failed] = {}
        for job in owned:
            if job["kind"] != JOB.kind:
                continue
            uid, name = job["metadata"]["uid"], job["metadata"]["name"]
            if not is_over(job):
                found[name] = Asking(uid=uid, paused_since=self._paused_since(namespace, name))
                continue
            known = before.get(uid)
            ended[uid] = known or outcome_of(job, self._gateway.pods_of_job(namespace, name))
            found[name] = ended[uid]
        if ended or before:
            self._ended[namespace, policy] = ended
        return found

    def _paused_since(self, namespace: str, job: str) -> datetime | None:
        api_version, kind = CONFIG_MAP.api_version, CONFIG_MAP.kind
        return paused_since(
            self._gateway.read(ObjectRef(api_version=api_version, kind=kind, name=job, namespace=namespace))
        )

    def forget(self, namespace: str, policy: str) -> None:
        """Forget a policy that is gone."""
        self._ended.pop((namespace, policy), None)


def is_over(job: Object) -> bool:
    """Return whether a Job has ended, well or not."""
    return _end(job) is not None


def outcome_of(job: Object, pods: Sequence[Pod]) -> Asked | Failed:
    """Return what a Job that is over has found."""
    status, end = job.get("status", {}), _end(job) or {}
    at = datetime.fromisoformat(status.get("completionTime") or end.get("lastTransitionTime") or _created(job))
    messages = [pod.termination_message.strip() for pod in pods if pod.termination_message.strip()]
    if end.get("type") != "Complete":
        said = messages[-1] if messages else "its pods left no message"
        return Failed(message=f"{end.get('message') or end.get('reason', '')}: {said}", ended=at)
    for message in messages:
        try:
            result = parse_result(message)
        except ResultError:
            continue
        began = datetime.fromisoformat(status.get("startTime") or _created(job))
        return Asked(contest=contest_of(job), result=result, began=began, ended=at)
    return Failed(message="its pod is gone, or left something that is no result", ended=at)


def _end(job: Object) -> Mapping[str, Any] | None:
    for condition in job.get("status", {}).get("conditions", ()):
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            found: Mapping[str, Any] = condition
            return found
    return None


def _created(job: Object) -> str:
    created: str = job["metadata"]["creationTimestamp"]
    return created
