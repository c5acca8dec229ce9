"""All audits, those first that most deployments have."""

from typing import Final

from costpolicy.savings.audit.abandoned import ABANDONED
from costpolicy.savings.audit.accelerators import IDLE, TOO_MANY
from costpolicy.savings.audit.answer_length import MAX_TOKENS, PAST_USE
from costpolicy.savings.audit.evidence import Evidence
from costpolicy.savings.audit.finding import Answers, Audit
from costpolicy.savings.audit.host import HOST
from costpolicy.savings.audit.kernels import KERNELS
from costpolicy.savings.audit.kv_cache import PRESSURE
from costpolicy.savings.audit.prefix_cache import MISSES, SPARED
from costpolicy.savings.audit.release import RELEASE
from costpolicy.savings.audit.speculation import SPECULATION

AUDITS: Final[tuple[Audit, ...]] = (
    IDLE,
    TOO_MANY,
    PAST_USE,
    ABANDONED,
    MAX_TOKENS,
    MISSES,
    SPARED,
    PRESSURE,
    HOST,
    SPECULATION,
    KERNELS,
    RELEASE,
)


def audit(evidence: Evidence) -> Answers:
    """Return what each audit says about a deployment."""
    return {each: each.answer(evidence) for each in AUDITS}
