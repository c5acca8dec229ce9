"""Read ``engines.yaml`` and ``engine_flags.json``: what is known of every supported minor release of vLLM."""

from collections.abc import Sequence
from datetime import date as Date  # noqa: N812 - a field is called date, as in the data files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from costpolicy.catalog.flags import Flag, Takes, Values
from costpolicy.catalog.sources import Document, read_document

Minor = tuple[int, int]
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(gt=0, strict=True)]


class Span(BaseModel):
    """Something that holds from one minor release to another, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    releases: Annotated[str, Field(alias="in", pattern=r"^0\.[0-9]+(-0\.[0-9]+)?$")]

    def covers(self, minor: Minor) -> bool:
        """Whether it holds in a minor release."""
        first, _, last = self.releases.partition("-")
        return parse_minor(first) <= minor <= parse_minor(last or first)


class Release(BaseModel):
    """One minor release; ``read`` is the patch release in which its facts were read."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    version: Annotated[str, Field(pattern=r"^0\.[0-9]+$")]
    read: Annotated[str, Field(pattern=r"^0\.[0-9]+\.[0-9]+$")]


class BatchTier(BaseModel):
    """Batch limits of the API server on accelerators of at least a memory size whose name holds none of some
    words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    memory_gibibytes: Annotated[int, Field(ge=0)]
    except_names: tuple[Text, ...] = ()
    max_num_seqs: Count
    max_num_batched_tokens: Count


class BatchDefaults(Span):
    """The tiers of some releases, the first that fits wins."""

    tiers: Annotated[tuple[BatchTier, ...], Field(min_length=1)]


class PrefixCaching(Span):
    """Whether decoder models share prefixes unless told otherwise."""

    default: bool


class RankPadding(Span):
    """Whether data-parallel ranks are padded to the longest of any in steps that prefill too."""

    prefills: bool


class OnlineQuantization(Span):
    """The argument that quantizes an unquantized checkpoint while it loads, by weight format."""

    arguments: dict[Text, Text]


class EnginesFile(BaseModel):
    """``engines.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    source: Text
    date: Date
    releases: Annotated[tuple[Release, ...], Field(min_length=1)]
    batch_defaults: tuple[BatchDefaults, ...]
    prefix_caching: tuple[PrefixCaching, ...]
    rank_padding: tuple[RankPadding, ...]
    online_quantization: tuple[OnlineQuantization, ...]


class FlagRecord(Span):
    """A flag as it is in some releases."""

    name: Annotated[str, Field(pattern=r"^--[a-z0-9-]+$")]
    aliases: tuple[Text, ...] = ()
    takes: Takes
    values: Values = Values.ONE
    choices: tuple[str, ...] = ()
    default: bool | int | float | str | None = None

    def flag(self) -> Flag:
        """Return what it is there."""
        return Flag(
            name=self.name,
            aliases=self.aliases,
            takes=self.takes,
            values=self.values,
            choices=self.choices,
            default=self.default,
        )


class Word(Span):
    """A value that an argument knows in some releases."""

    name: Text


class FlagsFile(BaseModel):
    """``engine_flags.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    about: Text
    source: Text
    date: Date
    quantization_methods: tuple[Word, ...]
    kv_cache_dtypes: tuple[Word, ...]
    flags: tuple[FlagRecord, ...]


def read_engines(text: str, filename: str = "engines.yaml") -> EnginesFile:
    """Parse and check the releases.

    Raises:
        CatalogError: not of that shape, releases out of order, or a release without one of the defaults.
    """
    document = read_document(text, filename, TypeAdapter(EnginesFile))
    value = document.value
    minors = [parse_minor(release.version) for release in value.releases]
    if minors != sorted(set(minors)):
        raise document.error(("releases",), "releases are listed once each, oldest first")
    for key, spans in (
        ("batchDefaults", value.batch_defaults),
        ("prefixCaching", value.prefix_caching),
        ("rankPadding", value.rank_padding),
        ("onlineQuantization", value.online_quantization),
    ):
        _refuse_holes(document, key, spans, minors)
    for index, defaults in enumerate(value.batch_defaults):
        if defaults.tiers[-1].memory_gibibytes or defaults.tiers[-1].except_names:
            raise document.error(("batchDefaults", index, "tiers"), "the last tier must fit every accelerator")
    return value


def read_flags(text: str, filename: str = "engine_flags.json") -> FlagsFile:
    """Parse and check the flags.

    Raises:
        CatalogError: not of that shape, or a spelling that means two flags in one release.
    """
    shape = TypeAdapter(FlagsFile)
    try:
        value = shape.validate_json(text)
    except ValidationError:
        # JSON is YAML too: the slow reader, which keeps lines, finds the fault again and says where it is.
        value = read_document(text, filename, shape).value
    seen: dict[str, list[FlagRecord]] = {}
    for index, record in enumerate(value.flags):
        for spelling in record.flag().spellings():
            earlier = seen.setdefault(spelling, [])
            if any(_overlap(record, other) for other in earlier):
                document = read_document(text, filename, shape)
                raise document.error(("flags", index), f"{spelling} is here twice for one release")
            earlier.append(record)
    return value


def parse_minor(version: str) -> Minor:
    """Return major and minor of ``0.32`` or ``0.32.1``."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _refuse_holes(document: Document[EnginesFile], key: str, spans: Sequence[Span], minors: Sequence[Minor]) -> None:
    for minor in minors:
        if sum(span.covers(minor) for span in spans) != 1:
            raise document.error((key,), f"{minor[0]}.{minor[1]} must be covered exactly once")


def _overlap(one: Span, other: Span) -> bool:
    return other.covers(parse_minor(one.releases.partition("-")[0])) or one.covers(
        parse_minor(other.releases.partition("-")[0])
    )
