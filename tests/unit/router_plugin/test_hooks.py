"""Requests as LiteLLM hands them over, with each step broken in turn.  Not covered: LiteLLM (tests/contract/router)."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from costpolicy.drain import program
from costpolicy.router_plugin import pipeline
from costpolicy.router_plugin.garbage import GarbageCollection
from costpolicy.router_plugin.hooks import Hooks
from costpolicy.router_plugin.loading import load
from costpolicy.router_plugin.pipeline import ATTRIBUTION
from costpolicy.router_plugin.stopping import STOPPING, Stopping
from costpolicy.routing.coefficients import generic_coefficients
from waiting import wait_until

STEPS = ("bound", "attribute", "choose", "sample", "limit", "stop", "compress")
LONG = "A sentence that says little. " * 80


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiers = [{"name": "small", "policy": "llama-8b", "below": 0.9}, {"name": "large", "policy": ""}]
    route = {
        "trusted": "large",
        "tiers": tiers,
        "coefficients": "chat.json",
        "features": ["search"],
        "caps": {"search": {"maxTokens": 50, "stop": ["END"]}, "": {"maxTokens": 500}},
        "compression": {"minimum": 500, "ratio": 0.5},
        "sampling": {"share": 1, "perDay": 9, "folder": str(tmp_path / "samples"), "retentionSeconds": 86400},
    }
    document = {"version": 1, "featureHeader": "X-Feature", "metricsPort": 9401, "routes": {"chat": route}}
    (tmp_path / "routes.json").write_text(json.dumps(document))
    (tmp_path / "chat.json").write_text(json.dumps(generic_coefficients()))
    return tmp_path


@pytest.fixture
def hooks(folder: Path, tmp_path: Path) -> Hooks:
    return Hooks(load(folder), Stopping(tmp_path / "stopping"), GarbageCollection(is_needed=False))


def data(**more: Any) -> dict[str, Any]:
    messages = [{"role": "tool", "content": LONG}, {"role": "user", "content": "hi there"}]
    headers = {"headers": {"X-Feature": "search"}}
    given = {"model": "chat", "messages": messages, "num_retries": 9, "max_tokens": 900, "litellm_call_id": "1"}
    return given | {"proxy_server_request": headers, "metadata": {"tags": []}} | more


def answered(metadata: dict[str, Any], cached: int | None = None, limit: int | None = None) -> dict[str, Any]:
    """What LiteLLM tells of an answer."""
    usage = {"prompt_tokens_details": None if cached is None else {"cached_tokens": cached}}
    log = {"prompt_tokens": 30, "completion_tokens": 20, "metadata": {"usage_object": usage}}
    params = {"max_tokens": limit} if limit else {}
    return {"litellm_params": {"metadata": metadata}, "standard_logging_object": log, "optional_params": params}


def ending(finish: str) -> SimpleNamespace:
    return SimpleNamespace(choices=[SimpleNamespace(finish_reason=finish)])


def lines(hooks: Hooks) -> set[str]:
    return {line for line in hooks.pipeline.series.page().splitlines() if not line.startswith("#")}


def changes(sent: dict[str, Any]) -> dict[str, bool]:
    """What each step has done to a request."""
    return {
        "bound": "num_retries" not in sent,
        "attribute": sent["metadata"][ATTRIBUTION].feature == "search",
        "choose": sent["model"] == "chat/small",
        "limit": sent["max_tokens"] == 50,
        "stop": sent.get("stop") == ["END"],
        "compress": len(sent["messages"][0]["content"]) < len(LONG),
    }


def test_every_step_does_its_part(hooks: Hooks, tmp_path: Path):
    sent = data()
    hooks.before(sent)

    assert dict.fromkeys(changes(sent), True) == changes(sent)
    wait_until(lambda: any(path.stat().st_size for path in tmp_path.glob("samples/*/*.jsonl")))
    assert not {line for line in lines(hooks) if line.startswith("costpolicy_route_callback_errors")}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_raises_is_left_out_counted_and_told_once_and_the_others_do_their_part(
    hooks: Hooks, step: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(*_: object) -> None:
        raise ValueError("said in confidence")

    steps = tuple((name, broken if name == step else action) for name, action in pipeline._STEPS)
    monkeypatch.setattr(pipeline, "_STEPS", steps)
    sent, again = data(), data()
    with caplog.at_level(logging.ERROR):
        hooks.before(sent)
        hooks.before(again)
    depends = {"attribute": {"attribute", "limit", "stop"}}.get(step, {step})

    assert {name: name not in depends for name in changes(sent)} == changes(sent)
    assert f'costpolicy_route_callback_errors_total{{step="{step}"}} 2' in lines(hooks)
    [told] = [record.getMessage() for record in caplog.records]
    assert step in told
    assert "confidence" not in told


@pytest.mark.parametrize(
    "broken",
    [
        {"messages": None},
        {"messages": 7},
        {"messages": [None]},
        {"metadata": None},
        {"metadata": "x"},
        {"proxy_server_request": None},
        {"max_tokens": "many"},
        {"stop": 7},
    ],
    ids=str,
)
def test_a_request_that_is_not_as_expected_is_passed_on_all_the_same(hooks: Hooks, broken: dict[str, Any]):
    sent = data(**broken)
    hooks.before(sent)

    assert sent["model"] in {"chat", "chat/small"}
    assert {name: sent[name] for name in broken if name != "metadata"}.keys() <= sent.keys()


def test_what_is_no_route_is_not_touched(hooks: Hooks):
    sent = data(model="chat/small")
    hooks.before(sent)

    assert data(model="chat/small") == sent


def test_answers_are_counted_for_the_tier_that_gave_them(hooks: Hooks):
    sent = data()
    hooks.before(sent)
    hooks.answered(answered(sent["metadata"] | {"model_group": "chat/small"}), ending("stop"))
    hooks.answered(answered(sent["metadata"] | {"model_group": "chat"}, cached=16), ending("length"))
    hooks.ended(sent, ValueError("what a tier said"))
    small = 'route="chat",tier="small",policy="llama-8b",feature="search"'
    large = 'route="chat",tier="large",policy="",feature="search"'

    assert {
        f'costpolicy_route_requests_total{{{small},outcome="answered"}} 1',
        f'costpolicy_route_requests_total{{{large},outcome="answered"}} 1',
        f'costpolicy_route_requests_total{{{small},outcome="failed"}} 1',
        f'costpolicy_route_tokens_total{{{small},kind="prompt"}} 30',
        f'costpolicy_route_tokens_total{{{small},kind="cached"}} 0',
        f'costpolicy_route_tokens_total{{{large},kind="cached"}} 16',
        f'costpolicy_route_tokens_total{{{large},kind="output"}} 20',
        'costpolicy_route_cut_total{route="chat",feature="search"} 1',
        'costpolicy_route_asked_tokens_bucket{route="chat",feature="search",le="1024"} 1',
        'costpolicy_route_asked_tokens_sum{route="chat",feature="search"} 900',
        'costpolicy_route_generated_tokens_count{route="chat",feature="search"} 2',
    } <= lines(hooks)


@pytest.mark.parametrize(("limit", "cut"), [(None, 0), (20, 1), (21, 0)])
def test_an_answer_that_litellm_has_redacted_is_cut_where_it_is_as_long_as_its_limit(
    hooks: Hooks, limit: int | None, cut: int
):
    sent = data()
    hooks.before(sent)
    hooks.answered(answered(sent["metadata"], limit=limit), {"text": "redacted"})

    assert cut == sum(line.startswith("costpolicy_route_cut_total") for line in lines(hooks))
    assert not any("callback_errors" in line for line in lines(hooks))


@pytest.mark.parametrize(
    ("status", "outcome"), [(400, "refused"), (403, "refused"), (408, "failed"), (429, "failed"), (503, "failed")]
)
def test_what_is_the_requests_own_fault_is_refused_and_the_rest_failed(hooks: Hooks, status: int, outcome: str):
    sent = data()
    hooks.before(sent)
    error = ValueError()
    error.status_code = status  # type: ignore[attr-defined]
    hooks.ended(sent, error)

    assert any(f'outcome="{outcome}"' in line for line in lines(hooks))


def test_what_a_client_calls_its_attribution_is_not_counted(hooks: Hooks):
    forged = {"model": "chat", "metadata": {ATTRIBUTION: ["chat", "label of an attacker"]}}
    hooks.ended(forged, ValueError())
    hooks.answered(answered(forged["metadata"]), ending("stop"))

    assert not {line for line in lines(hooks) if line.startswith("costpolicy_route_requests_total")}


@pytest.mark.parametrize(
    ("role", "model", "refused"),
    [
        ("internal_user", "chat/small", True),
        (None, "chat/large", True),
        ("internal_user", "chat", False),
        ("internal_user", "something/else", False),
        ("proxy_admin", "chat/small", False),
        (SimpleNamespace(value="proxy_admin"), "chat/small", False),
        ("internal_user", None, False),
    ],
)
def test_tiers_are_for_the_administrator(hooks: Hooks, role: object, model: object, refused: bool):
    assert refused == bool(hooks.refusal(role, model))


def test_while_the_pod_stops_answers_ask_their_clients_to_go(hooks: Hooks, tmp_path: Path):
    assert {} == hooks.stopping.headers()
    hooks.stopping.mark.touch()
    assert {"connection": "close"} == hooks.stopping.headers()
    hooks.stopping.begin()
    assert {} == hooks.stopping.headers()
    assert STOPPING == program.STOPPING


def test_a_label_is_written_as_prometheus_reads_it(hooks: Hooks):
    with hooks.pipeline.series.lock:
        hooks.pipeline.series.sampled.add('a "name"\nwith \\ in it')

    assert r'costpolicy_route_sampled_total{route="a \"name\"\nwith \\ in it"} 1' in lines(hooks)
