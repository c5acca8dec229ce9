"""``costpolicy report``: forms of the answer and wrong input.  Not covered: the page (tests/browser), Prometheus
(tests/contract/observe/test_review.py)."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from reviews import fleet


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "policies.json"
    items = [policy.to_json() for policy in fleet()]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return str(path)


def report(*arguments: str) -> tuple[int, str, str]:
    console = Console(out=io.StringIO(), err=io.StringIO(), stdin=io.StringIO())
    code = main(("report", *arguments), console)
    return code, console.out.getvalue(), console.err.getvalue()  # type: ignore[attr-defined]


def test_the_terminal_tells_what_the_page_tells(policies: str):
    code, out, _ = report("-f", policies)

    assert 0 == code
    for told in ("Cost drivers", "team-a/assistant", "Changes and their proof", "Playbook", "What is not known"):
        assert told in out


def test_the_page_is_written_to_a_file(policies: str, tmp_path: Path):
    code, out, err = report("-f", policies, "--html", str(tmp_path / "review.html"))

    assert (0, "", f"costpolicy: written to {tmp_path / 'review.html'}\n") == (code, out, err)
    assert (tmp_path / "review.html").read_text().startswith("<!doctype html>")


def test_other_programs_get_json_or_csv(policies: str):
    found: dict[str, Any] = json.loads(report("-f", policies, "-o", "json")[1])

    assert {"since", "until", "bills", "changes", "playbook", "missing"} <= found.keys()
    assert report("-f", policies, "-o", "csv")[1].startswith("policy,currency,cost,")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--month", "November"), "write a month such as 2026-11"),
        (("--month", "2199-01"), "has not begun"),
        (("--prometheus", "prometheus:9090"), "is not the address of a Prometheus"),
        (("--prometheus", "http://127.0.0.1:1", "--timeout", "soon"), "is not a duration"),
        (("--prometheus", "http://127.0.0.1:1"), "Prometheus cannot be asked"),
        (("--html", "/no/such/folder/page.html"), "No such file or directory"),
    ],
)
def test_wrong_input_is_named(policies: str, arguments: tuple[str, ...], says: str):
    code, _, err = report("-f", policies, *arguments)

    assert 2 == code
    assert says in err
