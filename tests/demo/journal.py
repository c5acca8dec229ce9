"""What the demo prints while it works, and the table at its end."""

import time
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what was read, from where, and what it costs."""

    step: str
    seen: str
    hourly: str
    source: str


@dataclass(slots=True)
class Journal:
    """Prints lines stamped with the seconds since the demo began, and remembers the table's rows."""

    began: float = field(default_factory=time.monotonic)
    rows: list[Row] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self.began

    def step(self, title: str) -> None:
        """Announce a step."""
        print(f"\n[{self.seconds:4.0f} s] == {title}", flush=True)

    def does(self, what: str) -> None:
        """Say what is done now, in the words that a person would type."""
        print(f"[{self.seconds:4.0f} s]    $ {what}", flush=True)

    def sees(self, what: str) -> None:
        """Say what was read."""
        print(f"[{self.seconds:4.0f} s]    {what}", flush=True)

    def row(self, step: str, seen: str, hourly: str = "", source: str = "API server") -> None:
        """Add a line to the table, and say it."""
        self.rows.append(Row(step=step, seen=seen, hourly=hourly, source=source))
        self.sees(f"-> {seen}{f' ({hourly} USD an hour)' if hourly else ''}")

    def table(self) -> None:
        """Print the table."""
        table = Table(box=box.SIMPLE_HEAD, title="What was seen", title_justify="left")
        for heading in ("step", "seen", "USD/h", "read from"):
            table.add_column(heading, justify="right" if heading == "USD/h" else "left", overflow="fold")
        for row in self.rows:
            table.add_row(row.step, row.seen, row.hourly, row.source)
        Console(width=140, highlight=False, markup=False).print(table)
