"""The arguments of ``vllm serve`` in one release: how they are spelled and what values they take.

vLLM's own parser writes ``_`` and ``-`` alike in a long name, takes ``--flag.key=value`` for one entry of a
JSON value and accepts abbreviations. A :class:`FlagTable` finds the flag that a spelling means; abbreviations
mean none here, because which flag they reach changes with every release.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Takes(StrEnum):
    """What follows a flag: nothing (``switch``, ``negatable``) or a value of a type."""

    SWITCH = "switch"
    NEGATABLE = "negatable"
    STR = "str"
    INT = "int"
    FLOAT = "float"
    SIZE = "size"
    JSON = "json"


class Values(StrEnum):
    """How many values a flag takes in one place, or that it may stand several times."""

    ONE = "one"
    OPTIONAL = "optional"
    MANY = "many"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One argument of one release.

    Attributes:
        name: the long name (``--max-num-seqs``).
        aliases: other spellings (``-tp``), without the negated one.
        takes: the type of its value. A ``size`` is a whole number that may end in k, K, m, M, g or G.
        values: how many.
        choices: the only values its parser lets pass; empty means that it does not check.
        default: the parser's; ``None`` where it has none or the engine decides later.
    """

    name: str
    aliases: tuple[str, ...] = ()
    takes: Takes = Takes.STR
    values: Values = Values.ONE
    choices: tuple[str, ...] = ()
    default: bool | int | float | str | None = None

    @property
    def has_value(self) -> bool:
        """Whether a value follows."""
        return self.takes not in (Takes.SWITCH, Takes.NEGATABLE)

    @property
    def negation(self) -> str | None:
        """Its switched-off spelling (``--no-enable-prefix-caching``), where the release has one."""
        return f"--no-{self.name[2:]}" if self.takes is Takes.NEGATABLE else None

    def spellings(self) -> Iterator[str]:
        """Yield every full spelling."""
        yield self.name
        yield from self.aliases
        if self.negation is not None:
            yield self.negation


@dataclass(frozen=True, slots=True)
class FlagTable:
    """All flags of one release, by every full spelling."""

    by_spelling: Mapping[str, Flag] = field(hash=False)

    @classmethod
    def of(cls, flags: Iterable[Flag]) -> "FlagTable":
        """Return the table of some flags."""
        return cls({spelling: flag for flag in flags for spelling in flag.spellings()})

    def find(self, spelling: str) -> Flag | None:
        """Return the flag that a spelling means to the engine's parser (underscores are dashes);
        abbreviations mean none.
        """
        return self.by_spelling.get(canonical_spelling(spelling))

    def starting_with(self, text: str) -> Sequence[str]:
        """Return the full spellings that begin with a text: those that it would abbreviate."""
        start = canonical_spelling(text)
        return sorted(spelling for spelling in self.by_spelling if spelling.startswith(start))

    def __iter__(self) -> Iterator[Flag]:
        return (flag for spelling, flag in self.by_spelling.items() if spelling == flag.name)


def canonical_spelling(spelling: str) -> str:
    """Return a flag's name as the parser compares it: dashes for underscores in long names."""
    return spelling.replace("_", "-") if spelling.startswith("--") else spelling
