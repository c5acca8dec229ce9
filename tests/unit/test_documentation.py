"""What the pages point at exists: links, files, tests that are named as proofs, make targets, reasons.

Not covered: that examples and ``sh`` blocks work (docs, e2e); answers of commands (docs/test_generated.py).
"""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "costpolicy"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
READMES_LIMIT = 150


@pytest.fixture(params=PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def page(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_link_leads_to_a_file(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_file_that_is_named_exists(page: Path):
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*\.?(?:py|yaml|json|md|sh|csv)?)(?:::\w+)?`", page.read_text())
    places = (ROOT, PACKAGE, ROOT / "docs", page.parent)
    known = [
        name for name in named if name.split("/")[0] in {path.name for place in places for path in place.iterdir()}
    ]

    assert [name for name in known if not any((place / name).exists() for place in places)] == []


def test_every_test_that_is_named_exists(page: Path):
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text())

    assert [each for each in named if f"def {each[1]}(" not in (ROOT / each[0]).read_text()] == []


def test_every_make_target_that_is_named_exists(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ((?:[a-z-]+ ?)+)", page.read_text(), re.MULTILINE))

    assert {word for words in named for word in words.split()} - targets == set()


def test_the_readmes_policy_is_the_smallest_example():
    [shown] = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert yaml.safe_load((ROOT / "examples" / "minimal.yaml").read_text()) == yaml.safe_load(shown)


def test_the_readme_can_be_read_at_once():
    assert len((ROOT / "README.md").read_text().splitlines()) <= READMES_LIMIT
