"""Published reasons: each documented, each produced by the operator, each named by a test.

Not covered: that the test which names a reason also produces it; the rings ``unit``, ``scenarios`` and
``faults`` do that one by one.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from costpolicy.api.conditions import CONDITIONS, ConditionType
from costpolicy.api.reasons import REASONS, Reason
from costpolicy.api.reference import conditions_page

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "operator" / "costpolicy"
DECLARED = SOURCES / "api" / "reasons.py"


def mentioned(files: Iterable[Path]) -> set[Reason]:
    """Return the reasons that files name, as a member or in quotes."""
    text = "\n".join(file.read_text() for file in files)
    words = set(re.findall(r"Reason\.([A-Z_]+)", text)) | set(re.findall(r"""["']([A-Za-z]+)["']""", text))
    return {reason for reason in Reason if reason.name in words or reason.value in words}


def test_every_reason_and_every_condition_says_what_it_means():
    assert set(Reason) == set(REASONS)
    assert set(ConditionType) == set(CONDITIONS)
    assert [reason for reason, text in REASONS.items() if not text.endswith((".", "?"))] == []


def test_the_reference_page_is_what_the_enumerations_say():
    assert (ROOT / "docs" / "reference" / "conditions.md").read_text() == conditions_page()


def test_the_operator_uses_every_reason_that_it_publishes():
    used = mentioned(file for file in SOURCES.rglob("*.py") if file != DECLARED)

    assert set(Reason) - used == set()


@pytest.mark.parametrize("reason", Reason)
def test_a_test_names(reason: Reason):
    tests = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]

    assert reason in mentioned(tests)
