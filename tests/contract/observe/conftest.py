"""A real Prometheus for the contract tests: backfilled with hand-made series, or scraping a page that tests
change."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import scraping as prometheus_server
from contract.observe.tapes import Tape
from scraping import Pages, Server, prometheus


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    found = {name: shutil.which(name) or "" for name in ("prometheus", "promtool")}
    if not all(found.values()):
        pytest.skip("prometheus and promtool are not installed (Debian: apt-get install prometheus)")
    return found


@pytest.fixture(scope="session")
def backfilled(
    programs: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Tape], Server]]:
    """Start a Prometheus that holds a tape's series and scrapes nothing."""
    with ExitStack() as running:

        def start(tape: Tape) -> Server:
            folder = tmp_path_factory.mktemp("prometheus")
            (folder / "tape.om").write_text(tape.text(), encoding="utf-8")
            subprocess.run(
                [
                    programs["promtool"],
                    "tsdb",
                    "create-blocks-from",
                    "openmetrics",
                    folder / "tape.om",
                    folder / "data",
                ],
                check=True,
                capture_output=True,
            )
            return running.enter_context(prometheus(folder, "global: {}\n"))

        yield start


@pytest.fixture
def pages() -> Iterator[Pages]:
    with prometheus_server.pages() as served:
        yield served


@pytest.fixture
def scraping(programs: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Start a Prometheus with a configuration."""
    with ExitStack() as running:
        yield lambda config: running.enter_context(prometheus(tmp_path, config))
