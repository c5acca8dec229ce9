"""Scenario documents: what is read, and what is said about a wrong one."""

import pytest

from costpolicy.simulation.scenario import ScenarioError, load_scenario, shipped, shipped_text

DAILY = shipped_text("daily-wave")


def test_at_least_twelve_scenarios_are_shipped_each_with_a_sentence():
    found = shipped()

    assert 12 <= len(found)
    assert all(scenario.about.endswith(".") for scenario in found.values())


@pytest.mark.parametrize(
    ("before", "after", "line", "says"),
    [
        ("resolution: 3m", "resolution: 5m", 3, "is more than 3m"),
        ("resolution: 3m", "length: 3000h", 3, "is more than 2000h"),
        ("accelerator: nvidia-l40s, count", "accelerator: nvidia-b9, count", 9, "nvidia-b9 is not one of"),
        ("daily: {", "wave: {", 22, "this field does not exist: take it out"),
        ("p95: 1s", "p95: fast", 17, "is not a duration: write whole numbers with ms, s, m or h"),
        ("meta-llama/Llama-3.1-8B-Instruct", "nobody/knows", 14, "the sizes of its model"),
        ("expect:", "events: [{at: 1h}]\nexpect:", 23, "needs exactly one of"),
        ("expect:", "events: [{at: 1h, removeNodes: [h100]}]\nexpect:", 23, "no node is called h100"),
        ("expect:", "events: [{at: 1h, metrics: {missing: [rain]}}]\nexpect:", 23, "rain is no question"),
        ("name: daily-wave", "name: [", 3, "expected"),
    ],
)
def test_a_wrong_scenario_is_refused_with_its_line_and_what_to_do(before: str, after: str, line: int, says: str):
    with pytest.raises(ScenarioError) as refused:
        load_scenario(DAILY.replace(before, after, 1), "mine.yaml")

    assert says in str(refused.value)
    assert str(refused.value).startswith(f"mine.yaml:{line}:"), str(refused.value)
