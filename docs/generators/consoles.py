"""Run the commands of ``console`` blocks in Markdown and put their real output below them.

A block holds one command after ``$``; commands that need a cluster stand in ``sh`` blocks instead.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```console\n\$ (?P<command>.+)\n(?P<output>(?:(?!```).*\n)*)```$", re.MULTILINE)


def with_outputs(page: Path, root: Path) -> str:
    """Return a page with the output of each of its commands as it is now."""
    return BLOCK.sub(lambda block: _block(block["command"], root), page.read_text(encoding="utf-8"))


def _block(command: str, root: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - our own documentation
        ["bash", "-c", command],  # noqa: S607
        cwd=root,
        env={**os.environ, "PATH": path, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=True,
    )
    if not done.stdout:
        raise ValueError(f"{command}: no answer: {done.stderr}")
    return f"```console\n$ {command}\n{done.stdout}```"
