"""A policy that went to another accelerator, and what the ledger has found of it: put into status, as days of measuring would."""

from typing import Any

from costpolicy.simulation.world import World
from stories import H100, HOUR, KEY, MINUTE, prices, reference_of, runs_on, serving

AUTO = {"mode": "Auto", "canary": {"duration": "0s"}, "cooldown": "10m"}
LOST = {"low": -0.4, "high": -0.25, "level": 0.95}
SAVED = {"low": 0.25, "high": 0.4, "level": 0.95}


def moved(**rollout: Any) -> World:
    """A policy that went to H100s when they became cheaper."""
    made = serving(rollout=AUTO | rollout)
    made.apply(prices(h100="1.20"))
    made.run(HOUR, step=MINUTE)
    assert [(H100, 1)] == runs_on(made)
    return made


def measured(of: World, interval: dict[str, float], **more: Any) -> None:
    """Say in status what the ledger has found of the last change: 48 hours for 1.20 an hour."""
    status = of.status(*KEY)
    window = {
        "since": "2026-11-23T10:00:00Z",
        "until": "2026-11-25T10:00:00Z",
        "totalCost": "57.60",
        "requests": 1,
        "promptTokens": 1,
        "outputTokens": 1,
        "hours": 48,
    }
    found = {"changedAt": status["history"][0]["at"], "complete": True, "current": window, "interval": interval}
    of.store.set_status(reference_of(), status | {"measurement": found | more})
