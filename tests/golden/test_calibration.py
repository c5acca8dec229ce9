"""Rendered calibration Jobs equal the reviewed files.

Covered: every field of both objects for both load generators.
Not covered: whether the API server accepts them (tests/integration/manifests).
"""

import pytest

from golden.calibration import CalibrationCase, calibration_cases


@pytest.mark.parametrize("case", calibration_cases(), ids=lambda case: case.generator)
def test_renders_the_job_that_was_reviewed(case: CalibrationCase) -> None:
    assert case.expected.read_text() == case.rendered(), "run `make golden` and review the difference"
