"""What is generated is what its generators make, the answers of commands in README and docs included.

Not covered: commands that need a cluster (``sh`` blocks); the demo and the docs ring run those.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    subprocess.run([sys.executable, ROOT / "docs" / "generators" / "everything.py", folder], check=True)
    return folder


def test_every_generated_file_is_up_to_date(made: Path):
    stale = [
        str(path.relative_to(made))
        for path in sorted(made.rglob("*"))
        if path.is_file() and path.read_bytes() != (ROOT / path.relative_to(made)).read_bytes()
    ]

    assert stale == [], "run make generate, and review the difference"


def test_the_readmes_answer_is_among_what_was_run(made: Path):
    assert "$ costpolicy plan" in (made / "README.md").read_text()
