"""A real LiteLLM configured as the operator renders it: prices, providers' keys, cooldowns, its own series, and labels.

Covered: also that labels are made by way of the router, and never of a tier that stood in.
Not covered: scores, tenants, caps, outages (the other files here); a pod and its file system; LiteLLM with a database.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from answering import completion
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.cli.route_label import ROUTER_KEY
from costpolicy.manifests.router.inputs import Router
from router.clients import EASY, HARD, KEYS, MASTER_KEY, Client, Tiers, decided, serving
from routers import prices, provider, secret


def bought(tiers: Tiers) -> Router:
    """What the tests here share, but for who serves it: two providers, one of which wants a key."""
    sold = {
        "small": (provider("tiny", f"{tiers.small.url}/v1"), prices("1", "2")),
        "large": (provider("big", f"{tiers.large.url}/v1", secret("provider")), prices("10", "20")),
    }
    given = decided()
    routes = (
        replace(
            each, tiers=tuple(replace(one, backend=sold[one.name][0], prices=sold[one.name][1]) for one in each.tiers)
        )
        for each in given.routes
    )
    return replace(given, routes=tuple(routes))


@pytest.fixture(scope="module")
def client(shared_tiers: Tiers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving(tmp_path_factory.mktemp("bought") / "folder", bought(shared_tiers), {}) as running:
        yield running


def test_each_provider_gets_its_own_key_and_its_own_name_of_the_model(client: Client, tiers: Tiers):
    client.ask(EASY)
    client.ask(HARD)

    assert [("tiny", "Bearer none")] == [(body["model"], body["authorization"]) for body in tiers.small.asked]
    assert [("big", f"Bearer {KEYS['provider']}")] == [
        (body["model"], body["authorization"]) for body in tiers.large.asked
    ]


def test_an_answer_has_the_price_of_its_tier(client: Client, tiers: Tiers):
    tiers.small.answer = lambda _: completion("a", tokens=(1000, 100))

    assert 0.0012 == pytest.approx(float(client.ask().headers["x-litellm-response-cost"]))


def test_a_tier_that_fails_is_left_alone_after_five_times_and_every_request_is_answered(client: Client, tiers: Tiers):
    client.until_small_answers()
    tiers.small.asked.clear()
    tiers.small.answer = lambda _: (500, {"error": {"message": "out of memory"}})
    answers = [client.ask() for _ in range(12)]

    assert {"from large"} == {each.json()["choices"][0]["message"]["content"] for each in answers}
    assert 6 == len(tiers.small.asked)


def test_no_key_and_no_prompt_is_logged(client: Client, tiers: Tiers):
    tiers.large.answer = lambda _: (500, {"error": {"message": "no"}})
    client.ask("a prompt about pangolins " + HARD)
    log = client.router.text()

    assert [] == [key for key in KEYS.values() if key in log]
    assert "pangolin" not in log


def test_its_own_series_need_no_key_and_name_routes_and_tiers_alone(client: Client, tiers: Tiers):
    tiers.large.answer = lambda _: (500, {"error": {"message": "no"}})
    client.ask(HARD)
    page = client.http.get("/metrics/").text
    series = [line for line in page.splitlines() if line.startswith("litellm_") and "_created" not in line]

    assert any(line.startswith("litellm_deployment_failure_responses_total{") for line in series)
    assert 'requested_model="chat"' in page
    assert [] == [line for line in series if "api_key" in line or "user" in line]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_there_are_no_pages_to_try_it(client: Client, path: str):
    assert 404 == client.http.get(path).status_code


def label(client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Label one sample by way of the router's second route; return the file of labels."""
    day = folder / "samples" / datetime.now(tz=UTC).date().isoformat()
    day.mkdir(parents=True)
    sample = {"messages": [{"role": "user", "content": EASY}], "metadata": {"feature": "search"}}
    (day / "000000.jsonl").write_text(json.dumps(sample) + "\n")
    monkeypatch.setenv(ROUTER_KEY, MASTER_KEY)
    places = ("--samples", str(folder / "samples"), "--labels", str(folder / "labels.csv"))
    tiers = ("--router", client.router.url, "--strong", "notes/large", "--weak", "notes/small")
    assert 0 == main(("route", "label", *places, *tiers), Console(out=io.StringIO(), err=io.StringIO()))
    return (folder / "labels.csv").read_text()


def test_labels_are_made_by_way_of_the_router(
    client: Client, tiers: Tiers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tiers.small.answer = tiers.large.answer = lambda _: completion("yes")

    assert "search,hi there,1,1," in label(client, tmp_path, monkeypatch)


def test_a_label_is_never_of_a_tier_that_stood_in(
    client: Client, tiers: Tiers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tiers.small.answer = lambda _: (400, {"error": {"message": "too long"}})

    assert "search,hi there,1,0," in label(client, tmp_path, monkeypatch)
    assert (1, 1) == (len(tiers.small.asked), len(tiers.large.asked))
