"""Requests that wait for the host and not for the accelerator."""

from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.savings.audit.evidence import Evidence, Figure
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy
from costpolicy.savings.replan import nothing_saved

_SHARE: Final = 0.3
"""Of a request's time; recorded engines at full load spend up to 0.22."""


def _judge(evidence: Evidence) -> Answer:
    counted, finished = evidence.counted, sum(evidence.finished.values())
    whole = counted[Figure.END_TO_END_SECONDS]
    if finished <= 0 or whole <= 0:
        return Missing(reason=Reason.NO_TRAFFIC, message="no request finished")
    outside = max(whole - counted[Figure.QUEUED_SECONDS] - counted[Figure.WORKED_ON_SECONDS], 0.0)
    if outside < _SHARE * whole:
        return Healthy()
    return Found(
        evidence=(
            f"{outside / whole:.0%} of a request's {whole / finished:.2f} s pass outside of queue and batch: "
            "tokenisation, HTTP and streaming on the host"
        ),
        advice="more cores for the pod, more API processes (--api-server-count), or longer chunks (--stream-interval)",
        confidence=Confidence.MEDIUM,
        # The accelerator is not what is waited for: it is freed when the host is faster, and a plan counts on that.
        saving=nothing_saved(),
    )


HOST: Final = Audit(
    name="host-bound",
    title="Requests that wait for the host",
    needs=(Figure.END_TO_END_SECONDS, Figure.QUEUED_SECONDS, Figure.WORKED_ON_SECONDS),
    judge=_judge,
)
