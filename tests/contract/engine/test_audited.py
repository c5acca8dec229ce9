"""``costpolicy audit`` on a real vLLM under load, healthy and with waste that is injected and counted at the clients.

Covered: a retry storm, answers past their use (stated, and not), limits that are not reached, and a healthy run.
Not covered: accelerators, and so whether requests wait for the host, which is the accelerator here; clients that hang up
while they wait in the queue, of which vLLM keeps no trace.
"""

import io
import json
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
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
STORM = {"prompts": 12, "attempts": 2, "patience": 60, "answer": 900}
"""Answers so long that no client waits for an end: what the engine generates while only these ask is for nobody."""
ENDLESS = {"prompts": 15, "limit": 240}

Audited = Callable[..., dict[str, dict[str, Any]]]


def generated(exposition: str) -> float:
    pattern = r"^vllm:generation_tokens_total\{[^}]*\} (\S+)$"
    return sum(map(float, re.findall(pattern, exposition, flags=re.MULTILINE)))


def well_behaved(count: int = 50, limit: int = LIMIT) -> list[Ask]:
    return [Ask(number=number, ends_after=8 + number * 7 % 33, limit=limit) for number in range(count)]


@pytest.fixture
def audited(running_engine: Engine, tmp_path: Path) -> Audited:
    """Puts one load after another on the engine, and returns what the audit finds in all of it, and of each load what its
    clients received and what the engine generated meanwhile.
    """

    def run(*loads: Sequence[Ask], options: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        before, after = tmp_path / "before.txt", tmp_path / "after.txt"
        texts, received = [settled(running_engine.url)], []
        for asks in loads:
            received.append(ask_all(running_engine.url, SERVED_NAME, asks))
            texts.append(settled(running_engine.url))
        before.write_text(texts[0])
        after.write_text(texts[-1])
        meanwhile = [generated(later) - generated(earlier) for earlier, later in pairwise(texts)]
        out = io.StringIO()
        planned = ("--model", "meta-llama/Llama-3.1-8B", "--accelerator", "nvidia-h100-80gb", "--window", "5m")
        given = ("audit", "--metrics", str(after), "--before", str(before), *planned, *options, "-o", "json")
        assert 0 == main(given, Console(out=out, err=io.StringIO()))
        [model] = json.loads(out.getvalue())["models"]
        assert SERVED_NAME == model["model"]
        found = {row["audit"]: row for row in model["findings"] if row["audit"] != "host-bound"}
        return found | {"loads": {"received": received, "generated": meanwhile}}

    return run


def test_a_healthy_run_yields_no_finding(audited: Audited):
    found = audited(well_behaved(), options=("--useful-tokens", str(USEFUL)))

    assert [[ask.ends_after for ask in well_behaved()]] == found.pop("loads")["received"]
    assert {} == found


def test_a_retry_storm_is_found_with_the_tokens_that_were_generated_for_nobody(audited: Audited):
    impatient = [
        Ask(number=1000 + number, ends_after=None, limit=STORM["answer"], patience=STORM["patience"])
        for number in range(STORM["prompts"])
        for _ in range(STORM["attempts"])
    ]
    found = audited(impatient, well_behaved())

    injected, _ = found["loads"]["generated"]
    assert injected >= sum(found["loads"]["received"][0]) >= len(impatient) * STORM["patience"]
    assert found["abandoned-generation"]["wastedTokens"] == pytest.approx(injected, rel=0.1)
    assert f"about {len(impatient)} of" in found["abandoned-generation"]["evidence"]
    assert "past-useful-length" not in found


@pytest.mark.parametrize(
    ("options", "confidence"), [(("--useful-tokens", str(USEFUL)), "High"), ((), "Low")], ids=["stated", "inferred"]
)
def test_answers_past_their_use_are_found(audited: Audited, options: tuple[str, ...], confidence: str):
    endless = [
        Ask(number=2000 + number, ends_after=None, limit=ENDLESS["limit"]) for number in range(ENDLESS["prompts"])
    ]
    found = audited([*endless, *well_behaved()], options=options)

    injected = ENDLESS["prompts"] * (ENDLESS["limit"] - USEFUL)
    [received] = found["loads"]["received"]
    assert injected == sum(received[: len(endless)]) - len(endless) * USEFUL
    assert found["past-useful-length"]["wastedTokens"] == pytest.approx(injected, rel=0.1)
    assert confidence == found["past-useful-length"]["confidence"]
    assert "abandoned-generation" not in found


def test_a_limit_that_is_asked_for_and_not_generated_is_found_at_no_cost(audited: Audited):
    found = audited(well_behaved(limit=1024), options=("--useful-tokens", str(USEFUL)))

    assert {"max-tokens", "loads"} == set(found)
    assert "0.00" == found["max-tokens"]["savesPerMonth"]
    assert "limits in force are 1024 tokens on average" in found["max-tokens"]["evidence"]
