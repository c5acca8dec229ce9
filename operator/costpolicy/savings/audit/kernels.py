"""What was switched off by hand and makes every step slower, and releases that are behind."""

import json
from collections.abc import Iterator, Mapping
from typing import Final

from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.engines import newest_engine, supported_engines
from costpolicy.savings.audit.evidence import Evidence
from costpolicy.savings.audit.finding import Answer, Audit, Confidence, Found, Healthy

_BEHIND: Final = 6
"""Minor releases, which come every two or three weeks: a quarter of a year."""
_NOT_PRICED: Final = Missing(
    reason=Reason.NOT_STATED,
    message="how much slower it makes this deployment is measured nowhere: compare the same traffic with and without it",
)
_OFF: Final[Mapping[str, tuple[str, ...]]] = {
    "--enforce-eager": ("true",),
    "--optimization-level": ("0",),
    "--async-scheduling": ("false",),
    "--enable-chunked-prefill": ("false",),
}
"""Arguments by the values that take an optimization away which the engine has on by itself."""
_ENVIRONMENT: Final[Mapping[str, tuple[str, ...]]] = {
    "TORCHDYNAMO_DISABLE": ("1",),
    "TORCH_COMPILE_DISABLE": ("1",),
    "VLLM_DISABLE_PYNCCL": ("1",),
    "NCCL_P2P_DISABLE": ("1",),
    "VLLM_USE_V1": ("0",),
}
_CHOSEN: Final = ("--attention-backend", "VLLM_ATTENTION_BACKEND")
"""What takes the choice of the attention kernel from the engine."""


def _kernels(evidence: Evidence) -> Answer:
    arguments, environment = evidence.startup.arguments, evidence.startup.environment
    if arguments is None:
        return Missing(reason=Reason.NOT_STATED, message="the engines' arguments are not known: give them")
    found = switched_off(arguments, environment or {})
    if not found:
        return Healthy()
    return Found(
        evidence=f"{', '.join(found)} takes away what vLLM does by itself (compiled graphs, fused and fast attention kernels)",
        advice="remove it, unless a fault of the engine was the reason for it; then try again with a newer release",
        confidence=Confidence.HIGH,
        saving=_NOT_PRICED,
    )


def switched_off(arguments: Mapping[str, str], environment: Mapping[str, str]) -> list[str]:
    """Return the arguments and variables that take an optimization away, as they were written."""
    given = [*_listed(arguments, _OFF), *_listed(environment, _ENVIRONMENT), *_uncompiled(arguments)]
    chosen = {**arguments, **environment}
    return [
        *given,
        *(f"{name}={chosen[name]}" for name in _CHOSEN if chosen.get(name, "auto") not in ("", "auto", "AUTO")),
    ]


def _listed(given: Mapping[str, str], off: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    return (f"{name}={given[name]}" for name, values in off.items() if given.get(name, "").lower() in values)


def _uncompiled(arguments: Mapping[str, str]) -> Iterator[str]:
    text = arguments.get("--compilation-config", "")
    try:
        config = json.loads(text) if text else {}
    except ValueError:
        return
    if not isinstance(config, dict):
        config = {"level": config}
    if any(str(config.get(key)) in ("0", "NONE") for key in ("level", "mode", "cudagraph_mode")):
        yield f"--compilation-config={text}"


def _release(evidence: Evidence) -> Answer:
    release = evidence.startup.release
    if release is None:
        return Missing(
            reason=Reason.NOT_STATED, message="no metric says which release the engines are: give its version"
        )
    newer = [one for one in supported_engines() if one.minor > release.minor]
    if len(newer) < _BEHIND:
        return Healthy()
    return Found(
        evidence=f"vLLM {release.version} is {len(newer)} minor releases behind {newest_engine().version}",
        advice="try the newest release as a canary: its kernels, scheduler and defaults are those that plans are made for",
        confidence=Confidence.LOW,
        saving=_NOT_PRICED,
    )


KERNELS: Final = Audit(name="kernels-switched-off", title="Optimizations taken away", needs=(), judge=_kernels)
RELEASE: Final = Audit(name="outdated-engine", title="A release that is behind", needs=(), judge=_release)
