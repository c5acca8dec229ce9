"""How long the monthly review of a thousand policies takes, and how much the operator exports of them."""

import io
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.reporting.composing import statement
from costpolicy.reporting.page import page
from exposition_size import exposition_of
from large_fleet import fleet_of
from reviews import NOW, SINCE, recorded

POLICIES = 1000


def figures() -> Iterator[Figure]:
    """Yield wall time of the command from a file, and of the page from what Prometheus recorded; bytes of a scrape."""
    policies = fleet_of(POLICIES)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policies.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [one.to_json() for one in policies]}))
        console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
        begun = time.perf_counter()
        main(("report", "-f", str(file), "--html", str(Path(folder) / "page.html")), console)
        yield _seconds("report --html, 1,000 policies of a file with status", time.perf_counter() - begun)
    months = recorded(policies)
    begun = time.perf_counter()
    text = page(statement(policies, months, SINCE, NOW))
    yield _seconds("the same page with days of 1,000 policies", time.perf_counter() - begun, f"{len(text):,} bytes")
    size = len(exposition_of(POLICIES))
    yield Figure(name="a scrape of the operator with 1,000 policies", value=f"{size / 1e6:.2f} MB", aim="2 MB")


def _seconds(name: str, seconds: float, spread: str = "") -> Figure:
    return Figure(name=name, value=f"{seconds:.2f} s", aim="5 s", spread=spread)
