"""The playbook of a policy as its status says it: renewed when its plans were made anew, or a state or an amount changed."""

from collections.abc import Iterable
from dataclasses import dataclass

from costpolicy.api.measured import PlaybookRow
from costpolicy.api.status import CostPolicyStatus
from costpolicy.reconcile.outlook import Outlook
from costpolicy.reconcile.replans import traffic_of
from costpolicy.reconcile.snapshot import MetricsDown
from costpolicy.savings.playbook.facts import Facts
from costpolicy.savings.playbook.playbook import Play, playbook
from costpolicy.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What status says: the rows, and what all that is recommended would save a month at once."""

    rows: tuple[PlaybookRow, ...]
    together: str | None


def played(outlook: Outlook) -> Played:
    """Return what status says now; what it said before while plans are missing, or engines are not seen."""
    snapshot, replans = outlook.snapshot, outlook.planned.replans
    before = snapshot.policy.status or CostPolicyStatus()
    kept = Played(rows=before.playbook, together=before.playbook_saves_per_month)
    observed = snapshot.observed
    if before.playbook and (isinstance(observed, MetricsDown) or not observed.fresh):
        return kept
    if replans is not None and not replans.complete:
        return kept
    book = playbook(_facts(outlook), replans)
    together = None if book.together is None else book.together.text(2)
    # While the same plans are compared only their gist counts: figures in reasons flutter, and each would be a write.
    told = snapshot.planned is not None and snapshot.planned.replans is replans
    if told and together == before.playbook_saves_per_month and _gist(book.plays) == _written(before.playbook):
        return kept
    return Played(rows=tuple(map(_row, book.plays)), together=together)


def _facts(outlook: Outlook) -> Facts:
    snapshot, release, planned = outlook.snapshot, outlook.inputs.engine, outlook.plan.target
    spec, stable = snapshot.policy.spec, snapshot.live.stable
    return Facts(
        spec=spec,
        running=stable.configuration if stable else None,
        planned=planned.configuration if planned else None,
        refused=bool(outlook.request.refused),
        gate=spec.quality.evaluation is not None,
        traffic=traffic_of(snapshot.observed),
        release=release,
        routes=snapshot.routes,
    )


def _row(play: Play) -> PlaybookRow:
    state, saves, reason = play.row
    return PlaybookRow(
        technique=play.technique.name,
        effort=play.technique.effort.value,
        state=state.value,
        saves_per_month=_text(saves),
        reason=reason,
    )


def _gist(plays: Iterable[Play]) -> list[tuple[str, str, str | None]]:
    return [(play.technique.name, play.row.state.value, _text(play.row.saves)) for play in plays]


def _written(rows: Iterable[PlaybookRow]) -> list[tuple[str, str, str | None]]:
    return [(row.technique, row.state, row.saves_per_month) for row in rows]


def _text(saves: Money | None) -> str | None:
    return None if saves is None else saves.text(2)
