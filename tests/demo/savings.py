"""(b) The playbook of a policy with traffic: what every technique saves or would save, and why not."""

from costpolicy.catalog.techniques import techniques
from demo.small_model import POLICY
from demo.world import Object, World

MOST_UNKNOWN = 3


def are_in_the_playbook(world: World) -> None:
    """Wait until status says of nearly every technique what it is worth here."""
    world.journal.step("(b) what each technique is worth here")
    status = world.until(
        "the playbook knows", lambda: world.status(POLICY), _knows, lambda seen: _states(seen) or "no row"
    )
    applied = ", ".join(row["technique"] for row in status["playbook"] if row["state"] == "Applied")
    text = f"{len(status['playbook'])} techniques, {_unknown(status)} unknown; applied: {applied}"
    together = status.get("playbookSavesPerMonth", "-")
    world.journal.row(
        "(b) playbook", f"{text}; recommended ones would save {together} a month", "", "API server: status"
    )


def _knows(status: Object) -> bool:
    named = {row["technique"] for row in status.get("playbook", ())}
    return named == set(techniques()) and _unknown(status) <= MOST_UNKNOWN


def _unknown(status: Object) -> int:
    return sum(row["state"] == "Unknown" for row in status["playbook"])


def _states(status: Object) -> str:
    return ", ".join(f"{row['technique']} {row['state']}" for row in status.get("playbook", ()))
