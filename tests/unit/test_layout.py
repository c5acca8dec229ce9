"""The repository's shape: what every reader may rely on, and what must not leak into it.

Covered: ``operator/`` stays a source root, every module imports and none in a circle, files stay small and have names that
say something, no tracked file names a registry's host or a path of one machine. Not covered: directions of
dependencies (import-linter, ``make lint``).
"""

import operator
import re
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "operator"
MOST_LINES = {"operator": 300, "images": 300, "docs": 300, "tests": 500}  # tables of examples may be long
EMPTY_NAMES = {"utils", "util", "helper", "helpers", "manager", "managers", "base", "common", "misc"}
SPLIT = "\x00"
# Written in pieces, so that this file does not name them itself.
LEAKS = {
    "a package index": re.compile("|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "proxy" + r"\.golang\.org"))),
    "a path of one machine": re.compile(r"(?<![\w./$\-<{}])/(?:" + "work|ro" + r"ot)/[\w.]"),
    "an index address": re.compile(r"--(?:extra-)?index" + r"-url[ =]\S"),
}
IN_THE_ROUTER = {Path("router_plugin/callback.py"), Path("router_plugin/keys.py")}
"""Modules that import LiteLLM, which is not among the project's packages; tests/contract/router runs them in it."""
IN_A_CONTAINER = {"images", "charts"}
"""Folders whose files describe the inside of an image, where ``root`` has a home."""


def tracked() -> list[Path]:
    """Return every tracked text file and every new one that would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split(SPLIT)
    return [path for name in sorted(set(listed)) if name and (path := ROOT / name).is_file()]


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def test_operator_is_a_source_root_and_never_a_package():
    """With an ``__init__.py`` it would shadow the standard library's module of that name."""
    assert not (SOURCES / "__init__.py").exists()
    assert not Path(operator.__file__).is_relative_to(ROOT)


def test_every_module_imports():
    modules = [
        ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(SOURCES.rglob("*.py"))
        if path.name != "__main__.py" and path.relative_to(SOURCES / "costpolicy") not in IN_THE_ROUTER
    ]
    script = "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script, *modules], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_no_modules_import_each_other_in_a_circle():
    """Without a circle it does not matter which module is imported first."""
    graph = grimp.build_graph("costpolicy", exclude_type_checking_imports=True, cache_dir=None)
    waiting = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    while free := {name for name, needs in waiting.items() if not needs & waiting.keys()}:
        waiting = {name: needs for name, needs in waiting.items() if name not in free}

    assert waiting == {}


@pytest.mark.parametrize("folder", MOST_LINES)
def test_no_file_is_longer_than_a_reader_keeps_in_mind(folder: str):
    ours = [path for path in python_files() if path.is_relative_to(ROOT / folder)]
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in ours}

    assert {name: count for name, count in lines.items() if count > MOST_LINES[folder]} == {}


def test_names_of_modules_say_what_is_in_them():
    assert [str(path) for path in python_files() if path.stem in EMPTY_NAMES] == []


def test_every_module_says_what_it_is():
    silent = [path for path in SOURCES.rglob("*.py") if not path.read_text().startswith('"""')]

    assert silent == []


@pytest.mark.parametrize("what", LEAKS)
def test_no_tracked_file_names(what: str):
    found = []
    for path in tracked():
        if what == "a path of one machine" and path.relative_to(ROOT).parts[0] in IN_A_CONTAINER:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in LEAKS[what].finditer(text)]

    assert found == []
