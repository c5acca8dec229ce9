"""The playbook as it stands in a policy's status.

Covered: when it is written, kept and renewed; what engines count as its evidence.  Not covered: the rows themselves
(tests/unit/savings/playbook), a cluster with metrics (tests/scenarios/test_playbook.py).
"""

from dataclasses import replace

from builders import policy
from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.catalog.techniques import techniques
from costpolicy.observe.answers import AnswerFigure
from costpolicy.reconcile.replans import traffic_of
from playing import Cycles
from staging import NO_METRICS, Stage

ANSWERS = {AnswerFigure.LIMIT: 500.0, AnswerFigure.LONG: 400.0, AnswerFigure.ABANDONED: 0.0}


def answering(observation, answers=ANSWERS):
    """The same engines, which export limits and lengths of answers too."""
    variants = tuple(replace(one, answers=answers, finished_per_second={"stop": 1.0}) for one in observation.variants)
    return replace(observation, variants=variants)


def test_a_playbook_is_written_when_all_its_plans_are_made_and_not_before(measured):
    cycles = Cycles(Stage(policy(), observed=answering(measured(2.0))))

    assert () == cycles.step().playbook
    status = cycles.until_whole()
    assert {row.technique for row in status.playbook} == set(techniques())
    assert 3 >= sum(row.state == "Unknown" for row in status.playbook)
    assert status.playbook_saves_per_month is not None
    assert status == cycles.step()


def test_without_metrics_and_without_a_word_about_traffic_everything_is_unknown():
    status = Cycles(Stage(policy(), observed=NO_METRICS)).step()

    assert {"Unknown"} == {row.state for row in status.playbook}
    assert {"nothing is measured or stated of its traffic yet"} == {row.reason for row in status.playbook}
    assert status.playbook_saves_per_month is None


def test_what_was_said_stays_while_prometheus_is_gone(measured):
    cycles = Cycles(Stage(policy(), observed=answering(measured(2.0))))
    before = cycles.until_whole()
    cycles.stage.observed = NO_METRICS
    after = cycles.until_whole()

    assert before.playbook == after.playbook


def test_figures_that_move_a_little_write_nothing(measured):
    cycles = Cycles(Stage(policy(), observed=answering(measured(2.0))))
    before = cycles.until_whole()
    moved = {**ANSWERS, AnswerFigure.LIMIT: 520.0, AnswerFigure.LONG: 390.0}
    cycles.stage.observed = answering(measured(2.0), moved)

    assert before.playbook == cycles.until_whole().playbook


def test_figures_in_reasons_are_renewed_with_the_plans(measured):
    cycles = Cycles(Stage(policy(), observed=answering(measured(2.0))))
    before = {row.technique: row.reason for row in cycles.until_whole().playbook}
    moved = {**ANSWERS, AnswerFigure.LIMIT: 700.0}
    cycles.stage.observed = answering(measured(3.0), moved)
    after = {row.technique: row.reason for row in cycles.until_whole().playbook}

    assert "limits of 500 tokens" in before["max-tokens-audit"]
    assert "limits of 700 tokens" in after["max-tokens-audit"]


def test_a_storm_that_begins_is_in_the_next_playbook(measured):
    cycles = Cycles(Stage(policy(), observed=answering(measured(2.0))))
    calm = {row.technique: row.state for row in cycles.until_whole().playbook}
    cycles.stage.observed = answering(measured(2.0), {**ANSWERS, AnswerFigure.ABANDONED: 0.25})
    storm = {row.technique: row for row in cycles.until_whole().playbook}

    assert ("NotApplicable", "Recommended") == (calm["retry-storms"], storm["retry-storms"].state)
    assert "25% of generated tokens" in storm["retry-storms"].reason


def test_engines_that_export_less_leave_rows_unknown(measured):
    traffic = traffic_of(measured(2.0))

    assert isinstance(traffic.limit, Missing)
    assert Reason.NO_SAMPLES is traffic.limit.reason
    assert isinstance(traffic_of(NO_METRICS).hit_ratio, Missing)
    assert 0.0 == traffic_of(answering(measured(2.0))).cut_share
