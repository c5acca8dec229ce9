"""What the words after ``vllm serve`` mean to the release that reads them.

A value is the text as given; ``None`` stands for a flag that is not given, and ``Missing`` for one that is given from where
it cannot be read (a Secret, a file).  Words that mean nothing to the release are kept: an engine that runs with them is of
another release than its image says.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from costpolicy.advice.command import EngineCommand
from costpolicy.advice.environment import unknown, unknown_in
from costpolicy.api.reasons import Reason
from costpolicy.catalog.arguments import WrittenArgument, written_arguments
from costpolicy.catalog.flags import Flag, FlagTable, Values, canonical_spelling
from costpolicy.observe.source import Missing

_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([kKmMgGtT]?)")
_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}

Value = str | bool | Missing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeArguments:
    """The arguments of one engine.

    Attributes:
        model: repository or path.
        values: by the flag's long name; switches are ``True`` or ``False``, keys of JSON values are merged into one text.
        strange: what the release has no flag for.
        hidden: why there may be more arguments than these, one sentence each.
    """

    model: str | Missing
    values: Mapping[str, str | bool | Missing]
    strange: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def text(self, flag: str) -> str | Missing | None:
        """Return the value of a flag that takes one; ``Missing`` also where it may be given in a place that is not read."""
        value = self.values.get(flag)
        if value is None and self.hidden:
            return Missing(reason=Reason.TARGET_UNREADABLE, message=f"{flag}: {self.hidden[0]}")
        return value if value is None or isinstance(value, (str, Missing)) else str(value)

    def whole(self, flag: str) -> int | Missing | None:
        """Return a whole number (``8192``, ``8K``); ``auto`` and ``-1`` are none."""
        value = self.text(flag)
        if value is None or isinstance(value, Missing):
            return value
        found = size_in(value)
        return found if found is not None or value in ("auto", "-1") else _unreadable(flag, value)

    def share(self, flag: str) -> float | Missing | None:
        """Return a number."""
        value = self.text(flag)
        if value is None or isinstance(value, Missing):
            return value
        try:
            return float(value)
        except ValueError:
            return _unreadable(flag, value)

    def switch(self, flag: str) -> bool | Missing | None:
        """Return whether a switch was set on or off."""
        value = self.values.get(flag)
        if value is None and self.hidden:
            return Missing(reason=Reason.TARGET_UNREADABLE, message=f"{flag}: {self.hidden[0]}")
        return value if value is None or isinstance(value, (bool, Missing)) else value.lower() == "true"

    def fields(self, flag: str) -> Mapping[str, Any] | Missing | None:
        """Return a JSON object."""
        value = self.text(flag)
        if value is None or isinstance(value, Missing):
            return value
        try:
            found = json.loads(value)
        except ValueError:
            return _unreadable(flag, value)
        return found if isinstance(found, dict) else _unreadable(flag, value)


def size_in(text: str) -> int | None:
    """Return the whole number that vLLM reads in a text: ``8k`` is 8,000, ``8K`` 8,192; ``None`` where it is none."""
    match = _SIZE.fullmatch(text)
    return None if match is None else int(Fraction(match[1]) * _UNITS[match[2]])


def serve_arguments(command: EngineCommand, flags: FlagTable) -> ServeArguments:
    """Return what a command means to a release with these flags."""
    written = list(written_arguments(flags, command.words))
    values = _values([(flag, one) for one in written if (flag := flags.find(one.spelling)) is not None])
    plain = [
        (one.begin + number, word)
        for one in written
        if not one.spelling.startswith("-")
        for number, word in enumerate((one.text, *one.values))
    ]
    # A word that is a variable may hold any arguments; right after `vllm serve` it is the model.
    first = next((word for place, word in plain if place == 0 or not _is_unknown(word)), None)
    extra = [word for _, word in plain if word != first]
    strange = [one.text for one in written if one.spelling.startswith("-") and flags.find(one.spelling) is None]
    return ServeArguments(
        model=_model(first, values.get("--model"), flags),
        values=values,
        strange=(*strange, *(word for word in extra if not _is_unknown(word))),
        hidden=tuple(_hidden(values.get("--config"), [unknown_in(word)[0] for word in extra if _is_unknown(word)])),
    )


def _is_unknown(word: str) -> bool:
    """Whether a word is nothing but one variable that is not known."""
    return [word] == [unknown(name) for name in unknown_in(word)]


def _values(known: Iterable[tuple[Flag, WrittenArgument]]) -> dict[str, str | bool | Missing]:
    """Return the last value of each flag, as the parser takes it; keys of JSON values together."""
    found: dict[str, str | bool | Missing] = {}
    keyed: dict[str, dict[str, Any]] = {}
    for flag, one in known:
        if one.path:
            _enter(keyed.setdefault(flag.name, {}), one.path.split("."), one.values)
        elif not flag.has_value:
            found[flag.name] = not _switches_off(flag, canonical_spelling(one.spelling))
        else:
            found[flag.name] = _value(flag, one.values)
    for name, entries in keyed.items():
        found[name] = _merged(found.get(name), entries)
    return found


def _switches_off(flag: Flag, spelling: str) -> bool:
    """Whether a spelling is a flag's negation: its own, or an alias such as ``--disable-prefix-caching``."""
    return spelling != flag.name and (spelling == flag.negation or spelling.startswith("--disable-"))


def _value(flag: Flag, values: Sequence[str]) -> str | Missing:
    text = " ".join(values) if flag.values in (Values.MANY, Values.REPEATED) else (values[-1] if values else "")
    return _or_unknown(flag.name, text)


def _or_unknown(name: str, text: str) -> str | Missing:
    variables = unknown_in(text)
    if not variables:
        return text
    message = f"{name} comes from the variable {variables[0]}, whose value the Deployment does not show; write the value there"
    return Missing(reason=Reason.TARGET_UNREADABLE, message=message)


def _enter(entries: dict[str, Any], path: Sequence[str], values: Sequence[str]) -> None:
    *parents, last = path
    for parent in parents:
        entries = entries.setdefault(parent, {})
    text = values[-1] if values else ""
    try:
        entries[last] = json.loads(text)
    except ValueError:
        entries[last] = text


def _merged(whole: str | bool | Missing | None, entries: Mapping[str, Any]) -> str | Missing:
    if isinstance(whole, Missing):
        return whole
    try:
        found = json.loads(whole) if isinstance(whole, str) else {}
    except ValueError:
        found = {}
    return json.dumps({**found, **entries})


def _model(positional: str | None, option: str | bool | Missing | None, flags: FlagTable) -> str | Missing:
    if positional is not None:
        return _or_unknown("the model", positional)
    if isinstance(option, Missing):
        return option
    if isinstance(option, str) and option:
        return option
    default = flags.find("--model")
    if default is not None and isinstance(default.default, str):
        return default.default  # what the engine serves where it is not told
    return Missing(reason=Reason.TARGET_UNREADABLE, message="its arguments do not say which model it serves")


def _hidden(config: str | bool | Missing | None, lost: Iterable[str]) -> Iterable[str]:
    if isinstance(config, str):
        yield f"its arguments are also in the file {config} (--config), which is not read; write them into the Deployment"
    if isinstance(config, Missing):
        yield config.message
    for name in lost:
        yield f"its arguments are also in the variable {name}, whose value the Deployment does not show; write them there"


def _unreadable(flag: str, value: str) -> Missing:
    return Missing(reason=Reason.TARGET_UNREADABLE, message=f"{flag} {value!r} cannot be read")
