"""Docker, kind, kubectl and helm, played by scripts: no test machine has Docker."""

import os
import sys
from pathlib import Path

import pytest

from cluster import kind

PLAYED = """\
#!{python} -IS
import os, sys
from pathlib import Path
folder, name = Path({folder!r}), Path(sys.argv[0]).name
words = " ".join([name, *sys.argv[1:]])
with (folder / "told").open("a") as told:
    told.write(words + "\\n")
if name == "kubectl" and "-f -" in words:
    (folder / f"applied-{{len(list(folder.glob('applied-*')))}}").write_text(sys.stdin.read())
for begin in (folder / "fails").read_text().splitlines():
    if words.startswith(begin):
        sys.exit(begin + " does not work today")
for line in (folder / "answers").read_text().splitlines():
    begin, _, answer = line.partition(" => ")
    if words.startswith(begin):
        print(answer)
"""


class Played:
    """docker, kind, kubectl and helm, each a script that notes what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "bin").mkdir()
        for name in ("docker", "kind", "kubectl", "helm"):
            script = folder / "bin" / name
            script.write_text(PLAYED.format(python=sys.executable, folder=str(folder)))
            script.chmod(0o755)
        for name in ("told", "fails", "answers"):
            (folder / name).touch()

    def answer(self, begin: str, text: str) -> None:
        """Let commands that begin so print a line."""
        with (self._folder / "answers").open("a") as answers:
            answers.write(f"{begin} => {text}\n")

    def fail(self, begin: str) -> None:
        """Let commands that begin so fail."""
        with (self._folder / "fails").open("a") as fails:
            fails.write(begin + "\n")

    def applied(self) -> list[str]:
        """Return what kubectl was given on its standard input, in the order of the commands."""
        return [path.read_text() for path in sorted(self._folder.glob("applied-*"))]

    def told(self, *programs: str) -> list[str]:
        """Return the commands that were given to some of the programs, in their order."""
        lines = (self._folder / "told").read_text().splitlines()
        return [line for line in lines if line.split()[0] in programs]


@pytest.fixture
def played(tmp_path, monkeypatch) -> Played:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Played(tmp_path)


@pytest.fixture
def cluster(played, tmp_path) -> kind.KindCluster:
    return kind.KindCluster(tmp_path / "kubeconfig")
