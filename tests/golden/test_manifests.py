"""Rendered objects equal the reviewed files.

Covered: every field of every object for the configurations that differ most.
Not covered: whether the API server and the engine accept them (tests/contract/manifests).
"""

import pytest

from golden.rendering import Case, cases


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.folder.name)
def test_renders_what_was_reviewed(case: Case) -> None:
    assert case.expected.read_text() == case.rendered(), "run `make golden` and review the difference"


def test_every_case_says_why_it_exists() -> None:
    assert [] == [case.folder.name for case in cases() if len(case.inputs()[1].reason) < 20]
