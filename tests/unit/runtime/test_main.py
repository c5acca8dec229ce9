"""The start of the process: what it refuses before it looks for a cluster.

Covered: broken data files.  Not covered: settings (test_settings.py), everything with a cluster (tests/integration/kube).
"""

import importlib

import pytest

from costpolicy.runtime.main import run


@pytest.mark.parametrize(
    ("module", "load", "file"),
    [
        ("costpolicy.catalog.accelerators", "accelerators", "accelerators.yaml"),
        ("costpolicy.catalog.models", "models", "models.yaml"),
    ],
)
def test_a_broken_catalogue_ends_the_operator_with_two_and_names_file_and_line(monkeypatch, capsys, module, load, file):
    broken = importlib.import_module(module)
    loader = getattr(broken, load)
    monkeypatch.setattr(broken, "read_packaged", lambda name: "\n- nonsense\n")
    loader.cache_clear()
    try:
        code = run({})
    finally:
        monkeypatch.undo()
        loader.cache_clear()

    assert 2 == code
    told = capsys.readouterr().err
    assert f"{file}:2: " in told
    assert "run another image" in told
