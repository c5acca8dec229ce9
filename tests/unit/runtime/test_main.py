"""The start of the process: what it refuses before it looks for a cluster.

Covered: broken data files.  Not covered: settings (test_settings.py), everything with a cluster (tests/integration/kube).
"""

import pytest

from costpolicy.runtime.main import run
from spoiled import spoiled


@pytest.mark.parametrize("file", ["accelerators.yaml", "models.yaml"])
def test_a_broken_catalogue_ends_the_operator_with_two_and_names_file_and_line(
    file: str, capsys: pytest.CaptureFixture[str]
):
    with spoiled(file):
        code = run({})

    assert 2 == code
    told = capsys.readouterr().err
    assert f"{file}:2: " in told
    assert "run another image" in told
