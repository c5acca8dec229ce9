"""The reference of the operator's settings, made from the model that reads them."""

from datetime import timedelta
from enum import Enum

from pydantic_core import PydanticUndefined

from costpolicy.runtime.settings import PREFIX, Settings
from costpolicy.units import format_duration

HEAD = """\
# Settings of the operator

<!-- Made by docs/generators/settings.py; do not edit. -->

The chart sets these environment variables from its values.
A variable that is unknown or wrong stops the operator at its start, with a line that names it.
Durations are written `30s`, lists with commas.

| Variable | Default | What it does |
|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_shown(field.default)} | {_cell(field.description or '')} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "".join(rows)


def _shown(value: object) -> str:
    if value is PydanticUndefined:
        return "the host's name"
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value not in ("", ()) else "empty"


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())
