"""What can make serving cheaper: how much work it is, what is claimed for it, and whether it can change answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812 - a field is called date, as in the data files
from enum import StrEnum
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from costpolicy.catalog.engines import Engine
from costpolicy.catalog.sources import read_document, read_packaged
from costpolicy.units import RATIO_PATTERN, parse_ratio


class Priority(StrEnum):
    """When a technique is worth an engineer's time; ``check`` is on already, ``skip`` is not worth it."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    LATER = "later"
    CHECK = "check"
    SKIP = "skip"


class Effort(StrEnum):
    """How much work a technique is to its user."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ActsIn(StrEnum):
    """Where a technique takes effect: arguments of the engine, the router, a finding, or what people do."""

    ENGINE = "engine"
    ROUTER = "router"
    AUDIT = "audit"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The share of something that is said to be saved, from low to high: to be tested, not to be promised."""

    low: Fraction
    high: Fraction
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """One technique.

    Attributes:
        name: what the playbook calls it (``prefix-caching``).
        title: for people.
        claim: what is claimed for it; ``None`` where nothing is.
        alters_answers: only behind the quality gate, or where the user accepted it.
        field: where a CostPolicy speaks of it; ``None`` where it has no field.
        arguments: vLLM's that have to do with it, in whichever release.
        note: what to know before believing the claim.
    """

    name: str
    title: str
    priority: Priority
    effort: Effort
    claim: Claim | None
    alters_answers: bool
    acts_in: ActsIn
    field: str | None
    arguments: tuple[str, ...]
    note: str

    def arguments_of(self, engine: Engine) -> tuple[str, ...]:
        """Return those of its arguments that a release has."""
        return tuple(name for name in self.arguments if engine.flag(name) is not None)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


Text = Annotated[str, Field(min_length=1)]
Ratio = Annotated[str, Field(pattern=RATIO_PATTERN)]


class _ClaimRecord(_Record):
    low: Ratio
    high: Ratio
    of: Text


class _TechniqueRecord(_Record):
    name: Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]
    title: Text
    priority: Priority
    effort: Effort
    claim: _ClaimRecord | None = None
    alters_answers: bool
    acts_in: ActsIn
    field: Annotated[str, Field(pattern=r"^spec\.techniques\.[a-zA-Z]+$")] | None = None
    arguments: tuple[Annotated[str, Field(pattern=r"^--[a-z0-9-]+$")], ...]
    note: Text

    def technique(self) -> Technique:
        claim = self.claim
        return Technique(
            name=self.name,
            title=self.title,
            priority=self.priority,
            effort=self.effort,
            claim=Claim(low=parse_ratio(claim.low), high=parse_ratio(claim.high), of=claim.of) if claim else None,
            alters_answers=self.alters_answers,
            acts_in=self.acts_in,
            field=self.field,
            arguments=self.arguments,
            note=self.note,
        )


class _File(_Record):
    source: Text
    date: Date
    techniques: Annotated[tuple[_TechniqueRecord, ...], Field(min_length=1)]


@cache
def techniques() -> Mapping[str, Technique]:
    """Return every technique by name, the most worthwhile first."""
    return load_techniques(read_packaged("techniques.yaml"))


def load_techniques(text: str, filename: str = "techniques.yaml") -> Mapping[str, Technique]:
    """Read techniques by name, in the file's order.

    Raises:
        CatalogError: not of that shape, a name twice, or a claim whose low end is above its high end.
    """
    document = read_document(text, filename, TypeAdapter(_File))
    found: dict[str, Technique] = {}
    for index, record in enumerate(document.value.techniques):
        technique = record.technique()
        if technique.name in found:
            raise document.error(("techniques", index, "name"), f"{technique.name} is here twice")
        if technique.claim is not None and technique.claim.low > technique.claim.high:
            raise document.error(("techniques", index, "claim"), "low is above high")
        found[technique.name] = technique
    return MappingProxyType(found)
