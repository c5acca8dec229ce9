"""What serves grows with the load while another variant is on its way.

Covered: edits, with and without spare accelerators, on the same accelerators; nothing is taken away meanwhile.
Not covered: the rest of a change (test_configuration_changes.py), weeks (tests/scenarios).
"""

from builders import node, offering, policy
from staging import Stage

SOME = {"requestsPerSecond": 2, "promptTokens": 1000, "outputTokens": 250}
L40S, H100 = {"accelerators": ["nvidia-l40s"]}, {"accelerators": ["nvidia-h100-80gb"]}


def edited(measured, l40s: int = 8, **edit) -> Stage:
    """An edit that has just been begun, of a policy with one replica on L40S."""
    nodes = (node("l40s", "nvidia-l40s", l40s), node("h100"))
    stage = Stage(policy(traffic=SOME, hardware=L40S), observed=measured(2.0), nodes=nodes)
    stage.settle()
    assert [1] == replicas(stage)
    stage.edit(traffic=SOME, **edit)
    stage.step()
    assert [1, 1] == replicas(stage)
    return stage


def replicas(stage: Stage) -> list[int]:
    return [each["spec"]["replicas"] for each in stage.deployments()]


def test_what_serves_grows_with_the_load_while_an_edit_is_under_way(measured):
    stage = edited(measured, hardware=H100)
    stage.observed = measured(20.0)
    for _ in range(5):
        stage.step()

    old, new = replicas(stage)
    assert old > 2
    assert new >= 1
    assert "SpecChange" == stage.status().rollout.trigger


def test_it_grows_no_further_than_accelerators_are_spare(measured):
    stage = edited(measured, l40s=2, hardware=H100)
    stage.observed = measured(20.0)
    for _ in range(5):
        stage.step()

    assert 2 == replicas(stage)[0]


def test_it_takes_nothing_that_its_successor_starts_on(measured):
    stage = edited(measured, l40s=3, hardware=L40S, engine={"env": [{"name": "SETTING", "value": "new"}]})
    stage.observed = measured(20.0)
    for _ in range(5):
        stage.step()

    assert [1, 2] == replicas(stage)


def test_nothing_is_taken_from_what_serves_before_its_successor_is_ready(measured):
    stage = edited(measured, hardware=H100)
    stage.observed = measured(20.0)
    for _ in range(5):
        stage.step()
    grown = replicas(stage)[0]
    stage.observed = measured(0.1)
    for _ in range(10):
        stage.step(minutes=10)
        assert grown == replicas(stage)[0]


def test_nothing_grows_on_accelerators_that_are_not_offered_any_more(measured):
    stage = edited(measured, hardware=H100)
    stage.offerings = (offering(),)
    stage.observed = measured(20.0)
    for _ in range(5):
        stage.step()

    assert 1 == replicas(stage)[0]
