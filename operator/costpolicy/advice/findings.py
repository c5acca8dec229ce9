"""What costs money in a Deployment as it stands, one function a finding; silent where nothing is wrong.

``wasted`` is what the accelerators cost an hour that go once it is mended; ``None``: none goes by this alone, or nothing
here says how many (a finding is then a reason to look, not a saving).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from costpolicy.advice.existing import Existing
from costpolicy.advice.serving import ServeArguments
from costpolicy.catalog.engines import Engine, EngineDefaults, newest_engine
from costpolicy.observe.source import Missing
from costpolicy.units import ZERO, Money

_NO_COMPILATION: Final = ("0", "NONE", "O0")
_NO_GRAPHS: Final = "NONE"
_OUTDATED: Final = 6
"""Minor releases behind the newest known one: about half a year of vLLM's."""


class FindingName(StrEnum):
    """What was found."""

    REPLICAS_NOT_READY = "ReplicasNotReady"
    UNUSED_ACCELERATORS = "UnusedAccelerators"
    OVER_PROVISIONED = "OverProvisioned"
    SMALL_BATCH = "SmallBatch"
    EAGER_MODE = "EagerMode"
    PREFIX_CACHING_OFF = "PrefixCachingOff"
    OUTDATED_ENGINE = "OutdatedEngine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding: what was seen, and what to do."""

    name: FindingName
    evidence: str
    advice: str
    wasted: Money | None = None


class Spared(NamedTuple):
    """What goes an hour, more than 0, where a share of every step is spared."""

    share: Fraction
    per_hour: Money


def replicas_not_ready(existing: Existing) -> Finding | None:
    """Pods that hold accelerators and do not serve; a model takes minutes to load, so one look may mistake a start."""
    idle = [pod for pod in existing.pods if pod.node and not pod.ready]
    if not idle or isinstance(existing.holding, Missing):
        return None
    held = sum(pod.requests.get(existing.holding.resource, 0) for pod in idle)
    dead = max(idle, key=lambda pod: pod.restarts)
    why = f"; {dead.name} restarted {dead.restarts} times" if dead.restarts else ""
    return Finding(
        name=FindingName.REPLICAS_NOT_READY,
        evidence=f"{len(idle)} of {len(existing.pods)} replicas hold {held} accelerators and are not ready{why}",
        advice="see kubectl describe pod and kubectl logs --previous, or scale them away",
        wasted=_price(existing, held),
    )


def unused_accelerators(existing: Existing) -> Finding | None:
    """Accelerators that a pod asks for and its engine does not use."""
    configuration, holding = existing.configuration, existing.holding
    if isinstance(configuration, Missing) or isinstance(holding, Missing):
        return None
    unused = holding.count - configuration.accelerators_per_replica
    if unused <= 0:
        return None
    return Finding(
        name=FindingName.UNUSED_ACCELERATORS,
        evidence=f"each pod asks for {holding.count} {holding.resource}, its engine uses {holding.count - unused}",
        advice=f"ask for {holding.count - unused}, or set --tensor-parallel-size",
        wasted=_price(existing, unused * existing.replicas),
    )


def over_provisioned(existing: Existing, needed: int, demand: str) -> Finding | None:
    """More replicas than the measured load needs."""
    configuration, spare = existing.configuration, existing.replicas - needed
    if spare <= 0 or isinstance(configuration, Missing):
        return None
    return Finding(
        name=FindingName.OVER_PROVISIONED,
        evidence=f"{existing.replicas} replicas run, and {needed} carry {demand}",
        advice=f"scale to {needed}, or let an autoscaler follow the load",
        wasted=_price(existing, spare * configuration.accelerators_per_replica),
    )


def small_batch(given: ServeArguments, default: EngineDefaults, spared: Money | None = None) -> Finding | None:
    """A limit of sequences below the release's own, which most often only limits throughput."""
    limit = given.whole("--max-num-seqs")
    if limit is None or isinstance(limit, Missing) or limit >= default.max_num_seqs:
        return None
    return Finding(
        name=FindingName.SMALL_BATCH,
        evidence=f"--max-num-seqs={limit}, the release's own limit is {default.max_num_seqs}",
        advice="take it out, unless latency objectives ask for it",
        wasted=spared if spared is not None and spared > ZERO else None,
    )


def eager_mode(given: ServeArguments, spared: Spared | None = None) -> Finding | None:
    """CUDA graphs or compilation switched off: each step pays the host's time for every kernel."""
    told = next(iter([*uncompiled(given), *_without_graphs(given)]), None)
    if told is None:
        return None
    evidence = f"{told} switches off CUDA graphs or compilation, and each decoding step waits for the host"
    counted = f"; {float(spared.share):.0%} of a step is the least that is claimed for fused kernels" if spared else ""
    return Finding(
        name=FindingName.EAGER_MODE,
        evidence=evidence + counted,
        advice=f"take {told} out; if memory is short, lower --max-model-len instead",
        wasted=spared.per_hour if spared else None,
    )


def uncompiled(given: ServeArguments) -> list[str]:
    """Return the arguments without which kernels would be compiled and fused, as they are spelled in full."""
    told = ["--enforce-eager"] if given.switch("--enforce-eager") is True else []
    for flag in ("--optimization-level", "-O"):
        told += [f"{flag}={value}" for value in [given.text(flag)] if value in _NO_COMPILATION]
    fields = _compilation(given)
    keys = (key for key in ("mode", "level") if str(fields.get(key, "")) in _NO_COMPILATION)
    return [*told, *(f"--compilation-config.{key}={fields[key]}" for key in keys)]


def _without_graphs(given: ServeArguments) -> list[str]:
    graphs = str(_compilation(given).get("cudagraph_mode", "")).upper()
    return ["--compilation-config.cudagraph_mode=NONE"] if graphs == _NO_GRAPHS else []


def _compilation(given: ServeArguments) -> Mapping[str, object]:
    fields = given.fields("--compilation-config")
    return {} if fields is None or isinstance(fields, Missing) else fields


def prefix_caching_off(given: ServeArguments) -> Finding | None:
    """Prefix caching switched off, which is on by default."""
    if given.switch("--enable-prefix-caching") is not False:
        return None
    return Finding(
        name=FindingName.PREFIX_CACHING_OFF,
        evidence="prefix caching is switched off: prompts that begin alike are computed anew each time",
        advice="take the argument out; answers do not change",
    )


def outdated_engine(engine: Engine | Missing, version: str | Missing) -> Finding | None:
    """A release far behind the newest known one."""
    newest = newest_engine()
    if isinstance(version, Missing):
        return None
    if isinstance(engine, Missing):
        behind = f"vLLM {version} is older than every release that is known here"
        if _minor_of(version) > newest.minor:
            return None
    elif newest.minor[1] - engine.minor[1] >= _OUTDATED:
        behind = f"vLLM {version} is {newest.minor[1] - engine.minor[1]} minor releases behind {newest.version}"
    else:
        return None
    return Finding(
        name=FindingName.OUTDATED_ENGINE,
        evidence=behind,
        advice=f"try {newest.version} on one replica; read its release notes for arguments that went",
    )


def _minor_of(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def _price(existing: Existing, accelerators: int) -> Money | None:
    return None if isinstance(existing.offering, Missing) else existing.offering.hourly * accelerators
