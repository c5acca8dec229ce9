"""Changes of one policy in time.

Those that follow each other within a day are measured as one, because no day lies between them that could be told from both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

FEWEST_HOURS: Final = 24
"""Hours of which costs and requests must be known on both sides before anything is said: every hour of the day once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change, or several that are measured as one.

    Attributes:
        began: when it began.
        ended: when what it brought served alone.
        together: how many changes these are.
        after: end of the change before, which the window before this one must not reach into.
    """

    began: datetime
    ended: datetime
    together: int = 1
    after: datetime | None = None


def changes_apart(changes: Sequence[tuple[datetime, datetime]]) -> tuple[Change, ...]:
    """Return changes that can be told apart, in order of time.

    Args:
        changes: begin and end of each, in order of time.
    """
    found: list[Change] = []
    for began, ended in changes:
        before = found[-1] if found else None
        if before is not None and began - before.ended < timedelta(hours=FEWEST_HOURS):
            found[-1] = replace(before, ended=ended, together=before.together + 1)
        else:
            found.append(Change(began=began, ended=ended, after=before.ended if before else None))
    return tuple(found)
