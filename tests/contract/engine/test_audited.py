"""``costpolicy audit`` on a real vLLM under load, healthy and with waste that is injected and counted at the clients.

Covered: a retry storm, answers past their use (stated, and not), limits that are not reached, and a healthy run.  Not
covered: accelerators; clients that hang up while they wait in the queue, of which vLLM keeps no trace.
"""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from engine.server import SERVED_NAME, Engine
from engine.wasteful_clients import Ask, ask_all, settled

USEFUL = 40
"""Tokens: answers are 8 to 40 tokens long."""
LIMIT = 64
STORM = {"prompts": 12, "attempts": 2, "patience": 90, "answer": 200}
ENDLESS = {"prompts": 15, "limit": 240}

Audited = Callable[..., dict[str, dict[str, Any]]]


def well_behaved(count: int = 50, limit: int = LIMIT) -> list[Ask]:
    return [Ask(number=number, ends_after=8 + number * 7 % 33, limit=limit) for number in range(count)]


@pytest.fixture
def audited(running_engine: Engine, tmp_path: Path) -> Audited:
    """Asks, and returns what the audit finds in what the engine counted meanwhile, and how many tokens clients got."""

    def run(asks: Sequence[Ask], *options: str) -> dict[str, dict[str, Any]]:
        before, after = tmp_path / "before.txt", tmp_path / "after.txt"
        before.write_text(settled(running_engine.url))
        received = ask_all(running_engine.url, SERVED_NAME, asks)
        after.write_text(settled(running_engine.url))
        out = io.StringIO()
        planned = ("--model", "meta-llama/Llama-3.1-8B", "--accelerator", "nvidia-h100-80gb", "--window", "5m")
        given = ("audit", "--metrics", str(after), "--before", str(before), *planned, *options, "-o", "json")
        assert 0 == main(given, Console(out=out, err=io.StringIO()))
        [model] = json.loads(out.getvalue())["models"]
        assert SERVED_NAME == model["model"]
        return {row["audit"]: row for row in model["findings"]} | {"received": {"tokens": received}}

    return run


def test_a_healthy_run_yields_no_finding(audited: Audited):
    found = audited(well_behaved(), "--useful-tokens", str(USEFUL))

    assert [ask.ends_after for ask in well_behaved()] == found.pop("received")["tokens"]
    assert {} == found


def test_a_retry_storm_is_found_with_the_tokens_that_clients_threw_away(audited: Audited):
    impatient = [
        Ask(number=1000 + number, ends_after=STORM["answer"], limit=LIMIT + STORM["answer"], patience=STORM["patience"])
        for number in range(STORM["prompts"])
        for _ in range(STORM["attempts"])
    ]
    found = audited([*impatient, *well_behaved()])

    thrown_away = sum(found["received"]["tokens"][: len(impatient)])
    assert thrown_away >= len(impatient) * STORM["patience"]
    assert thrown_away == pytest.approx(found["abandoned-generation"]["wastedTokens"], rel=0.1)
    assert f"about {len(impatient)} of" in found["abandoned-generation"]["evidence"]
    assert "past-useful-length" not in found


@pytest.mark.parametrize(
    ("options", "confidence"), [(("--useful-tokens", str(USEFUL)), "High"), ((), "Low")], ids=["stated", "inferred"]
)
def test_answers_past_their_use_are_found(audited: Audited, options: tuple[str, ...], confidence: str):
    endless = [
        Ask(number=2000 + number, ends_after=None, limit=ENDLESS["limit"]) for number in range(ENDLESS["prompts"])
    ]
    found = audited([*endless, *well_behaved()], *options)

    injected = ENDLESS["prompts"] * (ENDLESS["limit"] - USEFUL)
    assert injected == sum(found["received"]["tokens"][: len(endless)]) - len(endless) * USEFUL
    assert injected == pytest.approx(found["past-useful-length"]["wastedTokens"], rel=0.1)
    assert confidence == found["past-useful-length"]["confidence"]
    assert "abandoned-generation" not in found


def test_a_limit_that_is_asked_for_and_not_generated_is_found_at_no_cost(audited: Audited):
    found = audited(well_behaved(limit=1024), "--useful-tokens", str(USEFUL))

    assert {"max-tokens", "received"} == set(found)
    assert "0.00" == found["max-tokens"]["savesPerMonth"]
    assert "limits in force are 1024 tokens on average" in found["max-tokens"]["evidence"]
