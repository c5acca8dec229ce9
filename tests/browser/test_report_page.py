"""The report's page in a real Chromium.

Covered: console, requests, names for those who do not see it (axe-core), width of a phone, both colour schemes, texts of others
that are script.  The screenshots are left in the folder of the test for people to look at.  Not covered: other browsers, paper.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from costpolicy.reporting.composing import statement
from costpolicy.reporting.page import page
from reviews import HOSTILE, NOW, SINCE, change, fleet, recorded, status, stored

ColorScheme = Literal["light", "dark"]
SCHEMES: tuple[ColorScheme, ...] = ("light", "dark")
PHONE, DESK = 375, 1200


@dataclass
class Opened:
    """A page, and what it said and asked for while it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def open_(text: str, width: int = DESK, scheme: ColorScheme = "light") -> Opened:
        file = tmp_path / "review.html"
        file.write_text(text, encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(file.as_uri())
        found.page.screenshot(path=tmp_path / f"{width}-{scheme}.png", full_page=True)
        return found

    yield open_
    for context in contexts:
        context.close()


def review() -> str:
    policies = fleet()
    return page(statement(policies, recorded(policies), SINCE, NOW))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_is_quiet_asks_nobody_and_everything_has_a_name(
    opened: Callable[..., Opened], width: int, scheme: ColorScheme
):
    found = opened(review(), width, scheme)

    assert [] == found.said
    assert [found.page.url] == found.asked
    violations = Axe().run(found.page).response["violations"]
    assert [] == [(one["id"], one["nodes"][0]["html"]) for one in violations]


def test_on_a_phone_nothing_is_wider_than_the_screen_and_text_can_be_read(opened: Callable[..., Opened]):
    found = opened(review(), PHONE).page

    assert PHONE >= found.evaluate("document.documentElement.scrollWidth")
    beyond = f"[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > {PHONE + 1}).map(e => e.outerHTML)"
    assert [] == found.evaluate(beyond)
    sizes = "[...document.querySelectorAll('body *')].filter(e => e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize))"
    assert 12 <= min(found.evaluate(sizes))


def test_every_chart_is_drawn_and_says_what_it_shows(opened: Callable[..., Opened]):
    found = opened(review()).page
    charts = found.get_by_role("img")

    assert charts.count() >= 15
    for number in range(charts.count()):
        box = charts.nth(number).bounding_box()
        assert box is not None
        assert box["width"] > 50
        assert box["height"] >= 6
        assert charts.nth(number).get_attribute("aria-label")
    assert found.get_by_role(
        "img", name="Cost of each day from 1 November to 24 November, 15,080.08 USD in all"
    ).is_visible()


def test_the_paragraph_to_forward_opens_without_a_script(opened: Callable[..., Opened]):
    found = opened(review()).page
    paragraph = found.get_by_text("Since 9 November 2026, team-a/assistant runs on")

    assert not paragraph.is_visible()
    found.get_by_text("In words, to forward").first.click()
    assert paragraph.is_visible()


def test_texts_of_others_do_not_run(opened: Callable[..., Opened]):
    at = "2026-11-09T09:40:00Z"
    told = change(at, before=HOSTILE, after=HOSTILE, proof=HOSTILE)
    policy = stored("chat", status=status("1.00", "1.00", history=[told]))
    found = opened(page(statement([policy], None, SINCE, NOW)))

    assert "Cost review, November 2026" == found.page.title()
    assert [] == found.said
    assert found.page.get_by_text("document.title='taken'").first.is_visible()
