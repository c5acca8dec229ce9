"""A real LiteLLM in front of two real vLLM engines: what an engine says reaches the client through the router.

Covered: chats, streams, tool calls, completions, structured answers, log probabilities, errors, that each engine gets what
its tier is for, and labels of what was sampled, by asking both engines.
Not covered: byte for byte, which LiteLLM does not keep: it numbers answers anew, calls the model what was asked for, and
leaves out fields that are empty or vLLM's own.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.cli.route_label import ROUTER_KEY
from engine.server import SERVED_NAME, Engine, serve
from engine.tiny_model import CONTEXT, write_tiny_model
from router.clients import EASY, HARD, LARGE, MASTER_KEY, SMALL, Client, decided, serving
from router.server import RunningRouter
from waiting import wait_until

TOOL_ARGUMENTS = ["--enable-auto-tool-choice", "--tool-call-parser=hermes"]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo", "Rome"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CHOSEN = {"type": "function", "function": {"name": "weather"}}
OWN = {"id", "created", "model"}
"""What every answer has of its own."""
LITELLMS = {"provider_specific_fields"}
VLLMS = {"stop_reason", "matched_stop", "service_tier", "system_fingerprint"}


@pytest.fixture(scope="module")
def trusted_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Another model than the shared engine's, so that answers tell who gave them."""
    model = write_tiny_model(tmp_path_factory.mktemp("trusted") / "tiny", seed=1)
    with serve(model, [f"--max-model-len={CONTEXT}", *TOOL_ARGUMENTS]) as engine:
        yield engine


@pytest.fixture(scope="module")
def client(
    running_engine: Engine, trusted_engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    addresses = {SMALL: running_engine.url, LARGE: trusted_engine.url}
    folder = tmp_path_factory.mktemp("router") / "folder"
    given = decided(tenants=False)
    chat = given.routes[0]
    assert chat.sampling is not None
    everything = replace(chat, sampling=replace(chat.sampling, per_day=1000))
    with serving(folder, replace(given, routes=(everything, *given.routes[1:])), addresses) as client:
        yield client


@pytest.fixture(scope="module")
def router(client: Client) -> RunningRouter:
    return client.router


def ask(url: str, model: str, path: str = "/v1/chat/completions", **body: Any) -> httpx.Response:
    given = {"model": model, "temperature": 0, "max_tokens": 12} | body
    if path.endswith("chat/completions") and "messages" not in given:
        given["messages"] = [{"role": "user", "content": EASY}]
    headers = {"Authorization": f"Bearer {MASTER_KEY}"}
    return httpx.post(f"{url}{path}", json=given, headers=headers, trust_env=False, timeout=120)


def said(document: Any) -> Any:
    """An answer without what is empty, its own, or left out on the way."""
    if isinstance(document, list):
        return [said(one) for one in document]
    if not isinstance(document, dict):
        return document
    left_out = OWN | LITELLMS | VLLMS
    kept = {name: said(value) for name, value in document.items() if name not in left_out}
    return {name: value for name, value in kept.items() if value not in (None, {}, [], "")}


def events(answer: httpx.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert "[DONE]" == lines.pop()
    return [found for line in lines if (found := said(json.loads(line)))]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}], "max_tokens": 40},
        {"logprobs": True, "top_logprobs": 3},
        {"temperature": 1, "seed": 7, "n": 3},
        {"stop": ["a"]},
        {"min_tokens": 12, "ignore_eos": True},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": ["yes", "no"]}}}},
        {"path": "/v1/completions", "prompt": "once upon", "logprobs": 2},
        {"path": "/v1/completions", "prompt": ["once", "twice"]},
    ],
    ids=lambda body: ",".join(body) or "plain",
)
def test_an_answer_is_what_the_engine_says(router: RunningRouter, trusted_engine: Engine, body: dict[str, Any]):
    direct, routed = ask(trusted_engine.url, SERVED_NAME, **body), ask(router.url, "notes", **body)

    assert (200, 200) == (direct.status_code, routed.status_code), routed.text
    assert said(direct.json())["choices"] == said(routed.json())["choices"]
    assert said(direct.json())["usage"] == said(routed.json())["usage"]


def test_a_tool_call_is_the_engines_and_is_called_one(router: RunningRouter, trusted_engine: Engine):
    body: dict[str, Any] = {"tools": [TOOL], "tool_choice": CHOSEN, "max_tokens": 60}
    [direct] = said(ask(trusted_engine.url, SERVED_NAME, **body).json())["choices"]
    [routed] = said(ask(router.url, "notes", **body).json())["choices"]
    assert direct["message"] == routed["message"]
    assert "weather" == routed["message"]["tool_calls"][0]["function"]["name"]
    assert "tool_calls" == routed["finish_reason"]  # where vLLM says "stop", for a tool that the client has chosen


@pytest.mark.parametrize(
    "body",
    [{}, {"stream_options": {"include_usage": True}}, {"tools": [TOOL], "tool_choice": CHOSEN, "max_tokens": 60}],
    ids=lambda body: ",".join(body) or "plain",
)
def test_a_stream_is_what_the_engine_says(router: RunningRouter, trusted_engine: Engine, body: dict[str, Any]):
    direct = events(ask(trusted_engine.url, SERVED_NAME, stream=True, **body))
    routed = events(ask(router.url, "notes", stream=True, **body))

    assert spoken(direct) == spoken(routed)
    assert ("usage" in direct[-1]) == ("stream_options" in body) == ("usage" in routed[-1])


def spoken(chunks: list[Any]) -> dict[str, Any]:
    """What all chunks say together: engines join and split them as they are scheduled."""
    deltas = [choice.get("delta", {}) for chunk in chunks for choice in chunk.get("choices", ())]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    return {
        "content": "".join(delta.get("content", "") for delta in deltas),
        "calls": [call["function"]["name"] for call in calls if "name" in call.get("function", {})],
        "arguments": "".join(call.get("function", {}).get("arguments", "") for call in calls),
        "finish": [choice["finish_reason"] for chunk in chunks for choice in chunk.get("choices", ()) if "finish_reason" in choice],
        "usage": next((chunk["usage"]["completion_tokens"] for chunk in chunks if "usage" in chunk), None),
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"max_tokens": 99_999},
        {"messages": []},
        {"temperature": -3},
        {"n": 2},
        {"messages": [{"role": "user", "content": "word " * 3000}]},
        {"max_tokens": 99_999, "stream": True},
        {"path": "/v1/completions", "prompt": "x", "max_tokens": 99_999},
    ],
    ids=str,
)
@pytest.mark.parametrize("model", ["chat", "notes"])
def test_an_error_is_what_the_engine_says(
    router: RunningRouter, trusted_engine: Engine, model: str, body: dict[str, Any]
):
    direct, routed = ask(trusted_engine.url, SERVED_NAME, **body), ask(router.url, model, **body)
    expected, found = direct.json()["error"], routed.json()["error"]

    assert direct.status_code == routed.status_code >= 400
    assert [expected[name] for name in ("message", "type", "param")] == [
        found[name] for name in ("message", "type", "param")
    ]


@pytest.mark.parametrize(("text", "model"), [(EASY, "small"), (HARD[:900], "trusted")])
def test_each_engine_answers_the_prompts_that_its_tier_is_for(
    router: RunningRouter, running_engine: Engine, trusted_engine: Engine, text: str, model: str
):
    messages = [{"role": "user", "content": text}]
    answers = [ask(engine.url, SERVED_NAME, messages=messages).json() for engine in (running_engine, trusted_engine)]
    routed = ask(router.url, "chat", messages=messages).json()
    by_engine = dict(zip(("small", "trusted"), answers, strict=True))

    assert said(answers[0]) != said(answers[1])
    assert said(by_engine[model])["choices"] == said(routed)["choices"]
    assert "chat" == routed["model"]


def test_what_was_sampled_is_labelled_by_asking_both_engines(
    client: Client,
    running_engine: Engine,
    trusted_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv(ROUTER_KEY, MASTER_KEY)
    prompts = ["what is a token", "why is a batch cheap", HARD[:900].strip()]
    for prompt in prompts:
        client.ask(prompt, key=MASTER_KEY, max_tokens=12)
    wait_until(lambda: set(prompts) <= {prompt_of(sample) for sample in client.samples.rglob("*.jsonl")})
    tiers = ("--router", client.router.url, "--strong", "chat/large")
    folder, out = ("--samples", str(client.samples)), io.StringIO()

    for weak in ("small", "large"):
        command = ("route", "label", *folder, "--labels", str(tmp_path / weak), *tiers, "--weak", f"chat/{weak}")
        assert 0 == main(command, Console(out=out, err=out)), out.getvalue()

    labels = {weak: labels_of(tmp_path / weak) for weak in ("small", "large")}
    for prompt in prompts:
        messages = [{"role": "user", "content": prompt}]
        answers = [
            ask(engine.url, SERVED_NAME, messages=messages).json() for engine in (running_engine, trusted_engine)
        ]
        alike = text_of(answers[0]) == text_of(answers[1])
        assert ("1", str(int(alike))) == labels["small"][prompt]
        assert ("1", "1") == labels["large"][prompt]  # a model is always as good as itself
    assert any(("1", "0") == labels["small"][prompt] for prompt in prompts)


def prompt_of(sample: Path) -> str | None:
    """The text of a sampled chat; a sample to come is an empty file."""
    written = sample.read_text()
    body = json.loads(written) if written else {}
    return next((message["content"] for message in body.get("messages", ())), None)


def labels_of(file: Path) -> dict[str, tuple[str, str]]:
    """Whether the trusted tier and the other one were right, by prompt."""
    return {
        row["prompt"]: (row["strong_correct"], row["weak_correct"])
        for row in csv.DictReader(io.StringIO(file.read_text()))
    }


def text_of(answer: dict[str, Any]) -> str:
    """What an engine has said."""
    said: str = answer["choices"][0]["message"]["content"]
    return said
