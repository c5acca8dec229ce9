"""vLLM's releases: which arguments each knows, and what it does by itself on which accelerator.

An argument that a release does not know ends the engine at its start (exit code 2), and defaults move between
releases, so nothing is rendered or predicted without asking the release that will run.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from costpolicy.api.types import KvCacheDtype, WeightFormat
from costpolicy.catalog.accelerators import Accelerator
from costpolicy.catalog.arguments import RefusedArgument, refusals
from costpolicy.catalog.engine_data import (
    BatchTier,
    EnginesFile,
    FlagsFile,
    Minor,
    Word,
    parse_minor,
    read_engines,
    read_flags,
)
from costpolicy.catalog.flags import Flag, FlagTable
from costpolicy.catalog.formats import supports_kv_cache
from costpolicy.catalog.sources import read_packaged
from costpolicy.units import GIB

_VERSION: Final = re.compile(r"v?(?P<minor>0\.[0-9]{1,3})(?P<patch>\.[0-9]{1,3}(\.post[0-9]+)?)?")


class EngineError(ValueError):
    """A version that is not one of vLLM's supported releases, or something that no argument of the release
    can do.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineDefaults:
    """What a release does on an accelerator where it is told nothing.

    Attributes:
        max_num_seqs: most sequences in one step.
        max_num_batched_tokens: most tokens in one step.
        gpu_memory_utilization: share of each accelerator's memory that the engine takes.
        prefix_caching: whether decoder models share prefixes.
    """

    max_num_seqs: int
    max_num_batched_tokens: int
    gpu_memory_utilization: float
    prefix_caching: bool
    api_servers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One release of vLLM. Two are equal when their versions are.

    Attributes:
        version: the full version (``0.32.0``), as the release is tagged without the ``v``.
        flags: every argument of ``vllm serve`` in its minor release.
        quantization_methods: the values that ``--quantization`` knows.
        kv_cache_dtypes: the values that ``--kv-cache-dtype`` knows.
    """

    version: str
    flags: FlagTable = field(compare=False, repr=False)
    quantization_methods: frozenset[str] = field(compare=False, repr=False)
    kv_cache_dtypes: frozenset[str] = field(compare=False, repr=False)
    _tiers: Sequence[BatchTier] = field(compare=False, repr=False)
    _prefix_caching: bool = field(compare=False, repr=False)
    _pads_prefills: bool = field(compare=False, repr=False)
    _online: Mapping[str, str] = field(compare=False, repr=False)
    _elsewhere: Mapping[str, str] = field(compare=False, repr=False)

    @property
    def minor(self) -> Minor:
        """Major and minor number, to compare by."""
        return parse_minor(self.version)

    def flag(self, name: str) -> Flag | None:
        """Return an argument by any full spelling (``--max-num-seqs``, ``-tp``), or ``None`` if this release
        has none.
        """
        return self.flags.find(name)

    @property
    def shares_out_experts(self) -> bool:
        """Whether data-parallel ranks with expert parallelism are worth a plan in this release.

        Before 0.17 each rank pads its step to the longest prefill of any, and computes the experts of the padding.
        """
        flags = "--data-parallel-size", "--enable-expert-parallel"
        return not self._pads_prefills and all(self.flag(name) is not None for name in flags)

    def defaults(
        self, accelerator: Accelerator, tensor_parallel_size: int, data_parallel_size: int = 1
    ) -> EngineDefaults:
        """Return what this release does by itself on an accelerator; the limits are those of one data-parallel rank.

        On GPUs tensor parallelism changes nothing (it does on CPUs); it is asked for because it may again.

        Raises:
            EngineError: a tensor or data parallel size below 1.
        """
        for kind, size in (("tensor", tensor_parallel_size), ("data", data_parallel_size)):
            if size < 1:
                raise EngineError(f"a {kind} parallel size of {size} does not exist")
        tier = next(tier for tier in self._tiers if _fits(tier, accelerator))
        utilization = self.flags.by_spelling["--gpu-memory-utilization"].default
        return EngineDefaults(
            max_num_seqs=tier.max_num_seqs,
            max_num_batched_tokens=tier.max_num_batched_tokens,
            gpu_memory_utilization=float(utilization or 0),
            prefix_caching=self._prefix_caching,
            # Where the parser has no default, the engine starts one for each rank.
            api_servers=int(self.flags.by_spelling["--api-server-count"].default or data_parallel_size),
        )

    def quantization_argument(self, weights: WeightFormat, online: bool) -> str | None:
        """Return the value of ``--quantization``, or ``None`` where the argument is not needed.

        A quantized checkpoint says itself what it is; only weights that are quantized while loading must be
        asked for.

        Raises:
            EngineError: online, and this release cannot make the format of unquantized weights.
        """
        if not online or weights in (WeightFormat.BF16, WeightFormat.FP16):
            return None
        argument = self._online.get(weights)
        if argument is None:
            raise EngineError(
                f"vLLM {self.version} cannot quantize to {weights} while it loads; name a checkpoint in {weights}"
            )
        return argument

    def supports_kv_fp8(self, accelerator: Accelerator, head_size: int) -> str | None:
        """Return why this release cannot keep its KV cache in FP8 on an accelerator, or ``None`` if it can."""
        if KvCacheDtype.FP8 not in self.kv_cache_dtypes:
            return f"vLLM {self.version} has no FP8 KV cache"
        return supports_kv_cache(accelerator, KvCacheDtype.FP8, head_size)

    def whereabouts(self, name: str) -> str | None:
        """Return in which supported releases an argument exists (``0.11 to 0.19``), whether or not in this
        one.
        """
        return self._elsewhere.get(name)


def engine(version: str) -> Engine:
    """Return a release by its version: ``0.32``, ``0.32.0`` or ``v0.32.0``.

    Patch releases share their minor release's facts; a version without one means the patch release that was
    read.

    Raises:
        EngineError: not a version, or not a supported one; the message says which are.
    """
    match = _VERSION.fullmatch(version)
    releases = _engines_file().releases
    read = {release.version: release.read for release in releases}
    if match is None or match["minor"] not in read:
        supported = f"{releases[0].version} to {releases[-1].version}"
        raise EngineError(
            f"vLLM {version!r} is not supported: this operator knows {supported}, written as 0.32 or 0.32.0"
        )
    minor, patch = match["minor"], match["patch"]
    return _engine(minor + patch if patch else read[minor])


def newest_engine() -> Engine:
    """Return the newest supported release."""
    return _engine(_engines_file().releases[-1].read)


def supported_engines() -> tuple[Engine, ...]:
    """Return every minor release, oldest first, as the patch release that was read."""
    return tuple(_engine(release.read) for release in _engines_file().releases)


def refused_arguments(engine: Engine, args: Sequence[str], owned: Collection[str]) -> list[RefusedArgument]:
    """Return which of a user's arguments cannot be passed to a release, and why; see
    :func:`arguments.refusals`.
    """
    return refusals(engine.flags, args, owned, release=f"vLLM {engine.version}", elsewhere=engine.whereabouts)


def _fits(tier: BatchTier, accelerator: Accelerator) -> bool:
    return accelerator.memory_bytes >= tier.memory_gibibytes * GIB and not any(
        word in accelerator.name for word in tier.except_names
    )


@cache
def _engines_file() -> EnginesFile:
    return read_engines(read_packaged("engines.yaml"))


@cache
def _flags_file() -> FlagsFile:
    return read_flags(read_packaged("engine_flags.json"))


@cache
def _engine(version: str) -> Engine:
    minor = parse_minor(version)
    engines, flags = _engines_file(), _flags_file()
    return Engine(
        version=version,
        flags=FlagTable.of(record.flag() for record in flags.flags if record.covers(minor)),
        quantization_methods=_words(flags.quantization_methods, minor),
        kv_cache_dtypes=_words(flags.kv_cache_dtypes, minor),
        _tiers=next(defaults.tiers for defaults in engines.batch_defaults if defaults.covers(minor)),
        _prefix_caching=next(caching.default for caching in engines.prefix_caching if caching.covers(minor)),
        _pads_prefills=next(padding.prefills for padding in engines.rank_padding if padding.covers(minor)),
        _online=next(online.arguments for online in engines.online_quantization if online.covers(minor)),
        _elsewhere=_whereabouts(),
    )


def _words(words: Sequence[Word], minor: Minor) -> frozenset[str]:
    return frozenset(word.name for word in words if word.covers(minor))


@cache
def _whereabouts() -> Mapping[str, str]:
    spans: dict[str, list[str]] = {}
    for record in _flags_file().flags:
        spans.setdefault(record.name, []).append(record.releases)
    return {name: f"{found[0].partition('-')[0]} to {found[-1].rpartition('-')[2]}" for name, found in spans.items()}
