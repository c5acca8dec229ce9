"""Plans of real situations equal the reviewed files.

Covered: one situation each that was once wrong somewhere, or that a reader would ask about.
Not covered: general laws (tests/properties), how near predictions are (tests/unit/perf).
"""

import pytest

from golden.planning import FOLDER, PlanCase, plan_cases


@pytest.mark.parametrize("case", plan_cases(), ids=lambda case: case.file.stem)
def test_plans_what_was_reviewed(case: PlanCase) -> None:
    assert case.expected.read_text() == case.rendered(), "run `make golden` and review the difference"


def test_every_situation_says_why_it_exists() -> None:
    assert [] == [case.file.name for case in plan_cases() if len(case.situation().why) < 40]


def test_every_expected_plan_belongs_to_a_situation() -> None:
    assert {case.file.name for case in plan_cases()} == {file.name for file in (FOLDER / "expected").glob("*.yaml")}
