"""The playbook: all rows in the order in which they are worth an engineer's time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from costpolicy.catalog.techniques import Effort, Technique, techniques
from costpolicy.savings.playbook.facts import Facts, Row, State
from costpolicy.savings.playbook.replans import Case, Replans
from costpolicy.savings.playbook.techniques import ROWS
from costpolicy.units import ZERO, Money

_WORK: Final[Mapping[Effort, int]] = {Effort.LOW: 1, Effort.MEDIUM: 2, Effort.HIGH: 4}
"""How many times as much work; a saving is divided by it to be sorted."""
_UNSEEN: Final = Row(State.UNKNOWN, None, "nothing is measured or stated of its traffic yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One technique and its row."""

    technique: Technique
    row: Row

    @property
    def worth(self) -> Fraction:
        """Micro-units a month for the work; what cannot be said is worth nothing yet."""
        return Fraction((self.row.saves or ZERO).micros, _WORK[self.technique.effort])


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """All techniques, the largest saving for its effort first.

    ``together``: what everything that is recommended would save a month at once, which is less than the sum of the rows;
    ``None``: it cannot be said.
    """

    plays: tuple[Play, ...]
    together: Money | None


def playbook(facts: Facts, replans: Replans | None) -> Playbook:
    """Return the playbook of a policy.

    Args:
        facts: what decides the states.
        replans: complete; ``None``: nothing is measured or stated of its traffic, so that nothing can be compared.

    Raises:
        KeyError: a case was not planned yet.
    """
    if replans is None:
        return Playbook(plays=tuple(Play(technique=each, row=_UNSEEN) for each in techniques().values()), together=None)
    plays = [Play(technique=each, row=ROWS[name](facts, replans)) for name, each in techniques().items()]
    # A stable sort: equals stay in the catalogue's order, which is that of the most worthwhile; the unknown come behind.
    by_worth: Callable[[Play], tuple[Fraction, bool]] = lambda play: (-play.worth, play.row.saves is None)  # noqa: E731
    together = replans.saving(Case.OVERRIDDEN, Case.TOGETHER)
    return Playbook(
        plays=tuple(sorted(plays, key=by_worth)), together=together if isinstance(together, Money) else None
    )


def recommended(book: Playbook) -> tuple[Play, ...]:
    """Return the rows that ask for somebody's work."""
    return tuple(play for play in book.plays if play.row.state is State.RECOMMENDED)
