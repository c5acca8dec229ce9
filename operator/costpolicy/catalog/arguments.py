"""Judge a user's own engine arguments before the engine does: it would end at its start, or undo the plan.

Follows vLLM's parser (``vllm/utils/argparse_utils.py``, releases 0.11 to 0.33): underscores, ``--flag
value``, ``--flag=value``, ``--flag.key=value`` for one entry of a JSON value, ``--no-flag``, ``-O3``. What
that parser lets pass although it means something else than it says is refused too: abbreviations, and an
argument given twice, of which the first is lost.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from costpolicy.catalog.flags import Flag, FlagTable, Takes, Values, canonical_spelling

_NEGATIVE_NUMBER: Final = re.compile(r"-[0-9]+")
_OPTIMIZATION: Final = re.compile(r"-O(=?.+)")
_SIZE: Final = re.compile(r"(-1|auto|[0-9]+(\.[0-9]+)?[kKmMgGtT]?)")


class RefusedArgument(NamedTuple):
    """An argument that may not be passed on: the flag it means (or the text, if it means none) and why not."""

    argument: str
    reason: str


class WrittenArgument(NamedTuple):
    """One argument as it was written: its text, the spelling before any ``.`` or ``=``, the path after the
    ``.``, its values, and which of the words it takes up (``words[begin:end]``).
    """

    text: str
    spelling: str
    path: str
    values: tuple[str, ...]
    begin: int
    end: int


def refusals(
    flags: FlagTable,
    args: Sequence[str],
    owned: Collection[str],
    *,
    release: str,
    elsewhere: Callable[[str], str | None],
) -> list[RefusedArgument]:
    """Return every argument that cannot be passed on, in their order.

    Args:
        flags: the release's.
        args: one word each, as in a container's ``args``.
        owned: names of the flags that are not the user's to set; their aliases and negations are refused with
            them.
        release: how messages call the release (``vLLM 0.32.0``).
        elsewhere: says in which releases a flag exists, for one that this release lacks.
    """
    refused: list[RefusedArgument] = []
    seen: dict[str, list[str]] = {}
    for written in written_arguments(flags, args):
        flag = flags.find(written.spelling)
        name = flag.name if flag is not None else written.text
        reason = (
            _not_a_flag(flags, written, release, elsewhere) if flag is None else _misused(flag, written, owned, seen)
        )
        if reason is not None:
            refused.append(RefusedArgument(name, reason))
    return refused


def values_of(flags: FlagTable, args: Sequence[str]) -> dict[str, str]:
    """Return what each flag is given, by its name; a switch is ``true``, or ``false`` where it is negated.

    Entries of a JSON value that are written apart are under ``--flag.key``; what is no flag of the release is left out.
    """
    given: dict[str, str] = {}
    for written in written_arguments(flags, args):
        flag = flags.find(written.spelling)
        if flag is None:
            continue
        negated = canonical_spelling(written.spelling) == flag.negation
        name = f"{flag.name}.{written.path}" if written.path else flag.name
        given[name] = " ".join(written.values) or ("false" if negated else "true")
    return given


def written_arguments(flags: FlagTable, args: Sequence[str]) -> Iterator[WrittenArgument]:
    """Yield what was written, each flag with the words that the parser takes for its values.

    A word that is no flag is its own spelling, with the words up to the next flag as its values.
    """
    words = list(args)
    while words:
        begin = len(args) - len(words)
        text = words.pop(0)
        head, equals, value = text.partition("=")
        optimization = _OPTIMIZATION.fullmatch(text)
        if optimization is not None:
            level = "--optimization-level" if flags.find("--optimization-level") is not None else "-O"
            yield WrittenArgument(text, level, "", (optimization[1].removeprefix("="),), begin, begin + 1)
            continue
        spelling, _, path = head.partition(".") if head.startswith("-") else (head, "", "")
        flag = flags.find(spelling)
        values = (value,) if equals else tuple(_take(words, flag, dotted=bool(path)))
        yield WrittenArgument(text, spelling, path.removesuffix("+"), values, begin, len(args) - len(words))


def _take(words: list[str], flag: Flag | None, *, dotted: bool) -> Iterator[str]:
    """Remove and yield the words that belong to a flag written without ``=``."""
    if dotted:
        yield from [words.pop(0)] if words else []
        return
    if flag is not None and not flag.has_value:
        return
    while words and (not words[0].startswith("-") or _NEGATIVE_NUMBER.fullmatch(words[0])):
        yield words.pop(0)
        if flag is not None and flag.values is not Values.MANY:
            return


def _not_a_flag(
    flags: FlagTable, written: WrittenArgument, release: str, elsewhere: Callable[[str], str | None]
) -> str | None:
    spelling = canonical_spelling(written.spelling)
    if not spelling.startswith("-") or spelling == "--":
        return "is not a flag, and no flag before it takes it as a value"
    where = elsewhere(spelling) or elsewhere(spelling.replace("--no-", "--", 1))
    if where is not None:
        return f"{release} has no such argument; releases {where} have it"
    longer = flags.starting_with(spelling)
    if longer:
        return (
            f"is an abbreviation of {' and '.join(longer[:3])}: write it out, releases read abbreviations differently"
        )
    return f"{release} has no such argument and would end with exit code 2"


def _misused(flag: Flag, written: WrittenArgument, owned: Collection[str], seen: dict[str, list[str]]) -> str | None:
    if any(name in owned for name in flag.spellings()):
        return "is decided by the plan" + _instead(flag.name)
    paths = seen.setdefault(flag.name, [])
    twice = written.path in paths or ("" in paths) or (not written.path and bool(paths))
    paths.append(written.path)
    if twice and flag.values is not Values.REPEATED:
        return "is given twice; the engine would drop one of them without a word"
    if written.path and flag.takes is not Takes.JSON:
        return f"takes no keys: write {flag.name}=VALUE"
    return _wrong_value(flag, written)


_FIELDS: Final = {
    "--served-model-name": "spec.model.name",
    "--model": "spec.model.source",
    "--revision": "spec.model.source",
    "--max-model-len": "spec.model.contextLength",
    "--max-num-seqs": "spec.techniques.batching",
    "--max-num-batched-tokens": "spec.techniques.batching",
    "--quantization": "spec.techniques.quantization",
    "--kv-cache-dtype": "spec.techniques.kvCacheQuantization",
    "--enable-prefix-caching": "spec.techniques.prefixCaching",
    "--speculative-config": "spec.techniques.speculativeDecoding",
    "--spec-method": "spec.techniques.speculativeDecoding",
    "--spec-model": "spec.techniques.speculativeDecoding",
    "--spec-tokens": "spec.techniques.speculativeDecoding",
    "--override-generation-config": "spec.techniques.outputLength",
}


def _instead(name: str) -> str:
    where = _FIELDS.get(name)
    return f"; set {where}" if where else ""


def _wrong_value(flag: Flag, written: WrittenArgument) -> str | None:
    if not flag.has_value:
        return f"takes no value, so write {written.spelling} alone" if written.values else None
    if not written.values and flag.values is not Values.OPTIONAL:
        return "needs a value"
    if written.path:
        return None
    for value in written.values:
        if flag.choices and value not in flag.choices:
            return f"does not take {value!r}; it takes {', '.join(flag.choices)}"
        if not _is_a(flag.takes, value):
            return f"does not take {value!r}; it takes {_KINDS[flag.takes]}"
    return None


_KINDS: Final = {
    Takes.INT: "a whole number",
    Takes.FLOAT: "a number",
    Takes.SIZE: "a whole number such as 8192 or 8K",
}


def _is_a(takes: Takes, value: str) -> bool:
    """Whether the engine's parser reads a value as its type; an empty one and ``None`` mean none to it."""
    if value in ("", "None"):
        return True
    try:
        match takes:
            case Takes.INT:
                int(value)
            case Takes.FLOAT:
                float(value)
            case Takes.SIZE:
                return _SIZE.fullmatch(value) is not None
            case Takes.STR | Takes.JSON | Takes.SWITCH | Takes.NEGATABLE:
                pass
    except ValueError:
        return False
    return True
