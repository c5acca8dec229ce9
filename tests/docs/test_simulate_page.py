"""Every command of the page about simulations is run as it stands, in order.

Not covered: what the shipped scenarios must show (tests/scenarios/test_shipped.py).
"""

import os
import subprocess
import sys
from pathlib import Path

from pages import BLOCKS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "simulate.md"


def test_every_command_runs_and_answers_yes(tmp_path: Path):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in BLOCKS.findall(PAGE.read_text()):
        done = subprocess.run(
            ["bash", "-euc", block], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    assert "mine.yaml" in {path.name for path in tmp_path.iterdir()}
