"""Releases of the engine that are behind."""

from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import Engine, newest_engine, supported_engines
from costpolicy.savings.audit.evidence import Evidence
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy, priced
from costpolicy.savings.replan import Saving

_BEHIND: Final = 6
"""Minor releases, which come every two or three weeks: a quarter of a year."""


def _judge(evidence: Evidence) -> Answer:
    release = evidence.startup.release
    if release is None:
        return Missing(
            reason=Reason.NOT_STATED, message="no metric says which release the engines are: give its version"
        )
    newer = [one for one in supported_engines() if one.minor > release.minor]
    if len(newer) < _BEHIND:
        return Healthy()
    return Found(
        evidence=(
            f"vLLM {release.version} is {len(newer)} minor releases behind {newest_engine().version}. Money is what the newer one "
            "can do here and the older refuses or sets otherwise; how much faster a release is has no published figure for "
            "any step between them, and is not counted"
        ),
        advice="try the newest release as a canary: its kernels, scheduler and defaults are those that plans are made for",
        confidence=Confidence.LOW,
        saving=_unlocked(evidence, release),
    )


def _unlocked(evidence: Evidence, release: Engine) -> Saving | Missing:
    """Return what the newest release saves by what it can do; missing where that is nothing, as its speed is not known."""
    newest = newest_engine()
    saving = priced(evidence, lambda pricing, demand: pricing.saving_of_release(demand, release, newest))
    if isinstance(saving, Missing) or saving.per_month.micros or saving.accelerators_freed:
        return saving
    return Missing(
        reason=Reason.NOT_STATED,
        message=(
            f"the plan uses nothing here that vLLM {release.version} lacks, and how much faster {newest.version} is was published "
            "for no step between them"
        ),
    )


RELEASE: Final = Audit(name="outdated-engine", title="A release that is behind", needs=(), judge=_judge)
