"""A compression from its first sample to the requests that it shortens, through a real LiteLLM.

Covered: samples that hold calls of tools, both questions by way of the router, what the operator makes of the proof, and that
the trusted tier alone then gets shortened requests.
Not covered: quality (the tier answers by what it still reads), a CronJob (tests/integration/manifests).
"""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from answering import Reply, completion
from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.cli.route_label import ROUTER_KEY
from costpolicy.manifests.router.inputs import Compression, Router, Sampling
from costpolicy.reconcile.routes.decide import decide_routes
from costpolicy.router_plugin.compression import LEFT_OUT
from costpolicy.routing.compression_proof import CompressionEvidence, Pairs, document
from costpolicy.routing.labels import parse_labels
from routed import NOW, external, route, snapshot
from router.clients import DESK, EASY, HARD, MASTER_KEY, Client, Tiers, decided, serving
from waiting import wait_until

LIMITS = Compression(minimum=1000, ratio=Fraction(1, 2))
SETTINGS = "1-1000-0.5"
ROUTED = route(
    (external("small", "0.6"), external("large")),
    maxQualityLoss="50%",
    contextCompression={"mode": "Enabled", "minimumCharacters": 1000},
    calibration={
        "configMapRef": {"name": "proof"},
        "samples": {"share": "100%"},
        "storage": {"claimName": "traffic"},
    },
)


def told(evidence: CompressionEvidence | None) -> dict[str, Any]:
    """What the operator tells the router of the route: its compression now, and what is to be sampled for it."""
    known = {} if evidence is None else {"proof": {"compression.json": json.dumps(document(evidence))}}
    decision = decide_routes(snapshot(ROUTED, proofs=known), NOW)
    [data] = [item["data"] for item in decision.objects if item["kind"] == "ConfigMap"]
    chat = json.loads(data["routes.json"])["routes"]["chat"]
    return {"compression": chat.get("compression"), "samples": chat["sampling"]["compression"]}


def serving_router(compression: Compression | None) -> Router:
    """The routes of the other tests; on the first one this is to be proven, and is in force or not."""
    sampling = Sampling(
        share=Fraction(1), per_day=500, claim="traffic", retention=timedelta(days=1), compression=LIMITS
    )
    given = decided()
    chat, notes = given.routes
    return replace(given, routes=(replace(chat, compression=compression, sampling=sampling), notes))


@pytest.fixture(scope="module")
def before(shared_tiers: Tiers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("unproven") / "folder"
    with serving(folder, serving_router(None), shared_tiers.addresses) as client:
        yield client


@pytest.fixture(scope="module")
def after(shared_tiers: Tiers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("proven") / "folder"
    with serving(folder, serving_router(LIMITS), shared_tiers.addresses) as client:
        yield client


def conversation(number: int, question: str = HARD) -> list[dict[str, Any]]:
    """A question, the call that it leads to, and the long result of that."""
    function = {"name": "read", "arguments": json.dumps({"mail": "ann@example.com", "report": number})}
    report = "".join(f"Sentence {each} of report {number} says little. " for each in range(60))
    return [
        {"role": "user", "content": f"{question} {number}"},
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": "c1", "content": report},
    ]


def result(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def test_a_compression_is_sampled_judged_proven_told_and_only_then_in_force(
    before: Client, after: Client, tiers: Tiers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert {"compression": None, "samples": {"minimum": 1000, "ratio": 0.5}} == told(None)
    for number in range(9):
        before.ask(messages=conversation(number), headers={"x-costpolicy-feature": "search"})
    wait_until(lambda: 9 == len([path for path in before.samples.glob("*/*.jsonl") if path.stat().st_size]))
    unproven = [result(body) for body in tiers.large.asked]
    tiers.reset()

    monkeypatch.setenv(ROUTER_KEY, MASTER_KEY)
    labels = tmp_path / "labels.csv"
    places = ("--samples", str(before.samples), "--labels", str(labels), "--router", before.router.url)
    asked = ("--strong", "chat/large", "--compress-minimum", "1000", "--compress-ratio", "50%")
    out = io.StringIO()
    assert 0 == main(("route", "label", *places, *asked, "-o", "json"), Console(out=out, err=io.StringIO()))
    evidence = CompressionEvidence.of(parse_labels(labels.read_text()), SETTINGS)

    assert not any(LEFT_OUT in text for text in unproven)
    assert 9 == json.loads(out.getvalue())["made"]
    shortened = [body for body in tiers.large.asked if LEFT_OUT in result(body)]
    assert (9, 18, 0) == (len(shortened), len(tiers.large.asked), len(tiers.small.asked))
    calls = [body["messages"][1]["tool_calls"][0] for body in tiers.large.asked]
    assert {("c1", "[email]")} == {(call["id"], json.loads(call["function"]["arguments"])["mail"]) for call in calls}
    assert 9 == len(list(before.samples.glob("*/*.jsonl")))  # what is judged is not sampled again
    assert evidence is not None
    assert Pairs(judged=9, lost=0) == evidence.pairs
    assert {"minimum": 1000, "ratio": 0.5} == told(evidence)["compression"]

    tiers.reset()
    after.ask(messages=conversation(0))
    [body] = tiers.large.asked
    assert LEFT_OUT in result(body)


def test_an_answer_that_needs_what_was_left_out_is_a_loss_and_the_compression_stays_off(
    before: Client, tiers: Tiers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def reads(body: dict[str, Any]) -> Reply:
        return completion("lost" if LEFT_OUT in result(body) else "found")

    folder = tmp_path / "samples" / "2026-11-29"
    folder.mkdir(parents=True)
    for number in range(4):
        (folder / f"{number:06d}.jsonl").write_text(json.dumps({"messages": conversation(number)}) + "\n")
    monkeypatch.setenv(ROUTER_KEY, MASTER_KEY)
    tiers.large.answer = reads
    labels = tmp_path / "labels.csv"
    places = ("--samples", str(folder.parent), "--labels", str(labels), "--router", before.router.url)
    asked = ("--strong", "chat/large", "--compress-minimum", "1000")
    main(("route", "label", *places, *asked), Console(out=io.StringIO(), err=io.StringIO()))
    evidence = CompressionEvidence.of(parse_labels(labels.read_text()), SETTINGS)

    assert evidence is not None
    assert Pairs(judged=4, lost=4) == evidence.pairs
    assert told(evidence)["compression"] is None


@pytest.mark.parametrize(("question", "model", "key"), [(EASY, "chat", None), (HARD, "notes", DESK)])
def test_what_a_cheaper_tier_answers_and_other_routes_are_left_alone(
    after: Client, tiers: Tiers, question: str, model: str, key: str | None
):
    more = {} if key is None else {"key": key}
    after.ask(messages=conversation(0, question), model=model, **more)
    [body] = [*tiers.small.asked, *tiers.large.asked]

    assert conversation(0, question)[-1]["content"] == result(body)
