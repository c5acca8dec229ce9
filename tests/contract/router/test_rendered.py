"""A real LiteLLM with every file as the operator renders it: that it starts, routes, falls back, counts, and stays closed.

Covered: the whole folder and the variables of a pod, but for addresses; labels by way of the router.
Not covered: a pod (its file system, its hook: test_outages.py has the hook); LiteLLM with a database.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from answering import Answering, answering, completion
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.cli.route_label import ROUTER_KEY
from costpolicy.manifests.router.configuration import router_files
from costpolicy.manifests.router.inputs import RoutedTier, Router, Tenant
from costpolicy.manifests.router.pod import VARIABLES
from costpolicy.manifests.router.secrets import secret_variables
from costpolicy.routing.coefficients import generic_coefficients
from router.server import RunningRouter, serve_router
from routers import prices, provider, route, router, secret

EASY, HARD = "hi there", "Prove, As Euler Did, That Every Such Prime Is A Sum Of Two Squares. " * 20
KEYS = {"costpolicy-router": "sk-administrator-7Hq2", "shop": "sk-shop-8Kd3", "provider": "sk-provider-9Lm4"}
"""What lies in the Secrets, by their names."""


@dataclass
class Rendered:
    """A running router, and what stands behind it."""

    running: RunningRouter
    http: httpx.Client
    small: Answering
    large: Answering

    def ask(self, text: str = EASY, model: str = "chat", key: str = "shop", **more: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.http.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {KEYS[key]}"})


def decided(small: Answering, large: Answering) -> Router:
    """Two routes to two servers; easy prompts of the first go to the cheaper one."""
    cheap = provider("tiny", f"{small.url}/v1")
    dear = provider("big", f"{large.url}/v1", secret("provider"))
    tiers = (
        RoutedTier(name="small", backend=cheap, prices=prices("1", "2"), below=Fraction(1, 2)),
        RoutedTier(name="large", backend=dear, prices=prices("10", "20")),
    )
    return router(
        route(tiers=tiers, coefficients=json.dumps(generic_coefficients())),
        route("notes", tiers=tiers),
        tenants=(Tenant(name="shop", key=secret("shop"), routes=("chat",)),),
    )


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Answering, Answering]]:
    with answering(lambda _: completion("")) as small, answering(lambda _: completion("")) as large:
        yield small, large


@pytest.fixture(scope="module")
def started(servers: tuple[Answering, Answering], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rendered]:
    given = decided(*servers)
    folder = tmp_path_factory.mktemp("rendered") / "folder"
    for file in router_files(given):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    home = folder.parent / "tmp"
    home.mkdir()
    variables = {**VARIABLES, **{name: KEYS[key.name] for name, key in secret_variables(given).items()}}
    variables |= {"HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(folder)}
    with (
        serve_router(folder, variables) as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=60) as http,
    ):
        yield Rendered(running, http, *servers)


@pytest.fixture
def rendered(started: Rendered) -> Rendered:
    for server, name in ((started.small, "small"), (started.large, "large")):
        server.answer = lambda _, name=name: completion(f"from {name}")
        server.asked.clear()
    return started


def said(answer: httpx.Response) -> str:
    text: str = answer.json()["choices"][0]["message"]["content"]
    return text


def test_prompts_go_to_the_tier_that_is_proven_for_their_score(rendered: Rendered):
    assert ("from small", "from large") == (said(rendered.ask(EASY)), said(rendered.ask(HARD)))
    assert ("tiny", "Bearer none") == (rendered.small.asked[0]["model"], rendered.small.asked[0]["authorization"])
    assert f"Bearer {KEYS['provider']}" == rendered.large.asked[0]["authorization"]


def test_an_answer_has_the_price_of_its_tier(rendered: Rendered):
    rendered.small.answer = lambda _: completion("a", tokens=(1000, 100))

    assert 0.0012 == pytest.approx(float(rendered.ask().headers["x-litellm-response-cost"]))


def test_a_tenant_reaches_its_route_and_neither_tiers_nor_other_routes(rendered: Rendered):
    assert [200, 403, 403] == [rendered.ask(model=model).status_code for model in ("chat", "chat/small", "notes")]
    assert 200 == rendered.ask(model="chat/small", key="costpolicy-router").status_code


def test_a_tier_that_fails_is_left_alone_after_five_times_and_every_request_is_answered(rendered: Rendered):
    rendered.small.answer = lambda _: (500, {"error": {"message": "out of memory"}})
    answers = [said(rendered.ask()) for _ in range(12)]

    assert {"from large"} == set(answers)
    assert 6 == len(rendered.small.asked)


def test_an_error_that_reaches_the_client_is_the_trusted_tiers(rendered: Rendered):
    for server, why in ((rendered.small, "too small"), (rendered.large, "too long")):
        server.answer = lambda _, why=why: (400, {"error": {"message": why, "type": "BadRequestError", "code": 400}})
    answer = rendered.ask(HARD)

    assert 400 == answer.status_code
    assert answer.json()["error"]["message"].endswith("too long")  # before it, what LiteLLM calls the provider


def test_no_key_and_no_prompt_is_logged(rendered: Rendered):
    rendered.large.answer = lambda _: (500, {"error": {"message": "no"}})
    rendered.ask("a prompt about pangolins " + HARD)
    log = rendered.running.text()

    assert [] == [key for key in KEYS.values() if key in log]
    assert "pangolin" not in log


def test_metrics_need_no_key_and_name_routes_and_tiers_alone(rendered: Rendered):
    rendered.large.answer = lambda _: (500, {"error": {"message": "no"}})
    rendered.ask(HARD)
    page = rendered.http.get("/metrics/").text
    series = [line for line in page.splitlines() if line.startswith("litellm_") and "_created" not in line]

    assert any(line.startswith("litellm_deployment_failure_responses_total{") for line in series)
    assert 'requested_model="chat"' in page
    assert [] == [line for line in series if "api_key" in line or "user" in line]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_are_no_pages_to_try_it(rendered: Rendered, path: str):
    assert 404 == rendered.http.get(path).status_code


def label(rendered: Rendered, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    day = folder / "samples" / datetime.now(tz=UTC).date().isoformat()
    day.mkdir(parents=True)
    sample = {"messages": [{"role": "user", "content": EASY}], "metadata": {"feature": "search"}}
    (day / "000000.jsonl").write_text(json.dumps(sample) + "\n")
    monkeypatch.setenv(ROUTER_KEY, KEYS["costpolicy-router"])
    places = ("--samples", str(folder / "samples"), "--labels", str(folder / "labels.csv"))
    tiers = ("--router", rendered.running.url, "--strong", "notes/large", "--weak", "notes/small")
    return main(("route", "label", *places, *tiers), Console(out=io.StringIO(), err=io.StringIO()))


def test_labels_are_made_by_way_of_the_router(rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for server in (rendered.small, rendered.large):
        server.answer = lambda _: completion("yes")

    assert 0 == label(rendered, tmp_path, monkeypatch)
    assert "search,hi there,1,1," in (tmp_path / "labels.csv").read_text()


def test_a_label_is_never_of_a_tier_that_stood_in(rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rendered.small.answer = lambda _: (400, {"error": {"message": "too long"}})

    assert 0 == label(rendered, tmp_path, monkeypatch)
    assert "search,hi there,1,0," in (tmp_path / "labels.csv").read_text()
    assert (1, 1) == (len(rendered.small.asked), len(rendered.large.asked))
