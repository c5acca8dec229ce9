"""What our callback does in a real LiteLLM: tiers by score, features, caps, compression, samples, and what it counts.

Covered: whole answers and streams of chats, completions, names on the wire.
Not covered: quality (nobody asks whether "small" was right), other formats of requests (they go to the trusted tier),
a real prefix cache (these tiers only say what one found).
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from answering import completion
from costpolicy.router_plugin.compression import LEFT_OUT
from costpolicy.router_plugin.series import Series
from router.clients import DESK, EASY, HARD, LARGE, SHOP, Client, Tiers
from waiting import wait_until

REFUSED = 400, {"error": {"message": "max_tokens is too large: 9999", "type": "BadRequestError", "param": "max_tokens"}}
FAILED = 500, {"error": {"message": "out of memory", "type": "InternalServerError", "param": None}}


@pytest.mark.parametrize(("text", "tier"), [(EASY, "small"), (HARD, "large")])
def test_a_prompt_goes_to_the_cheapest_tier_that_is_proven_for_its_score(
    client: Client, tiers: Tiers, text: str, tier: str
):
    answer = client.ask(text).json()

    assert f"from {tier}" == answer["choices"][0]["message"]["content"]
    assert "chat" == answer["model"]
    assert {"small": 0, "large": 0} | {tier: 1} == {"small": len(tiers.small.asked), "large": len(tiers.large.asked)}


def test_the_last_message_of_the_user_decides_whatever_stands_before_it(client: Client, tiers: Tiers):
    history = [
        {"role": "system", "content": HARD},
        {"role": "user", "content": HARD},
        {"role": "assistant", "content": "Yes."},
    ]
    client.ask(messages=[*history, {"role": "user", "content": EASY}])
    client.ask(messages=[*history, {"role": "user", "content": [{"type": "text", "text": HARD}]}])

    assert (1, 1) == (len(tiers.small.asked), len(tiers.large.asked))


def test_a_route_without_a_score_is_answered_by_its_trusted_tier(client: Client, tiers: Tiers):
    client.ask(model="notes", key=DESK)

    assert (0, 1) == (len(tiers.small.asked), len(tiers.large.asked))


def test_what_asked_is_counted_by_feature_and_what_the_route_does_not_name_as_other(client: Client, tiers: Tiers):
    features = ("search", "summary", "other", "unattributed")
    before = [client.total("costpolicy_route_requests_total", feature=one) for one in features]
    client.ask(headers={"X-CostPolicy-Feature": "search"})
    client.ask(metadata={"feature": "summary"})
    client.ask(headers={"x-litellm-tags": "team-a,feature:summary"})
    client.ask(headers={"x-costpolicy-feature": "a secret of ours"})
    client.ask()

    now = [client.total("costpolicy_route_requests_total", feature=one) for one in features]
    assert [1, 2, 1, 1] == [after - earlier for after, earlier in zip(now, before, strict=True)]
    assert "a secret of ours" not in client.page()


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({}, {"max_tokens": 300}),
        ({"max_tokens": 4000}, {"max_tokens": 300}),
        ({"max_completion_tokens": 4000}, {"max_completion_tokens": 300}),
        ({"max_tokens": 20}, {"max_tokens": 20}),
        ({"max_tokens": 20, "stop": "END"}, {"max_tokens": 20, "stop": ["END", "\n\n"]}),
    ],
)
def test_limits_are_lowered_to_the_cap_and_never_raised(
    client: Client, tiers: Tiers, asked: dict[str, Any], sent: dict[str, Any]
):
    client.ask(headers={"x-costpolicy-feature": "search"}, **asked)
    [arrived] = tiers.small.asked
    limits = {name: arrived[name] for name in ("max_tokens", "max_completion_tokens", "stop") if name in arrived}

    assert {"stop": ["\n\n"]} | sent == limits


def test_a_feature_without_a_cap_gets_what_it_asks_for(client: Client, tiers: Tiers):
    client.ask(max_tokens=4000)
    [arrived] = tiers.small.asked

    assert (4000, None) == (arrived["max_tokens"], arrived.get("stop"))


def test_long_results_of_tools_are_shortened_and_the_characters_counted(client: Client, tiers: Tiers):
    before = client.total("costpolicy_route_compressed_characters_total")
    text = "".join(f"Sentence {number} of the report says little. " for number in range(60))
    messages = [
        {"role": "user", "content": HARD},
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": text},
    ]
    client.ask(messages=messages)
    [arrived] = tiers.large.asked
    result = arrived["messages"][-1]["content"]

    assert LEFT_OUT in result
    assert messages[:2] == [{k: v for k, v in one.items() if v is not None} for one in arrived["messages"][:2]]
    assert len(text) - len(result) == client.total("costpolicy_route_compressed_characters_total") - before > 0


@pytest.mark.parametrize(
    ("details", "cache"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 0}}, "missed"),
        ({"prompt_tokens_details": {"cached_tokens": 1000}}, "hit"),
        ({"prompt_tokens_details": None}, "unknown"),
        ({}, "unknown"),
    ],
    ids=["none cached", "all cached", "said to be unknown", "not said"],
)
def test_tokens_that_were_left_out_are_counted_by_whether_the_cache_would_have_had_them(
    client: Client, tiers: Tiers, details: dict[str, Any], cache: str
):
    status, document = completion("short", tokens=(1000, 5))
    document["usage"] |= details
    tiers.large.answer = lambda _: (status, document)
    caches = ("missed", "hit", "unknown")
    before = {one: client.total("costpolicy_route_removed_tokens_total", cache=one) for one in caches}
    text = "".join(f"Sentence {number} of the report says little. " for number in range(60))
    messages = [{"role": "user", "content": HARD}, {"role": "assistant", "content": text}]
    client.ask(messages=[*messages, {"role": "user", "content": HARD}])
    [arrived] = tiers.large.asked
    sent = len(json.dumps(arrived["messages"]))
    removed = round((len(text) - len(arrived["messages"][1]["content"])) * 1000 / sent)
    grown = {one: client.total("costpolicy_route_removed_tokens_total", cache=one) - before[one] for one in caches}

    assert dict.fromkeys(caches, 0) | {cache: pytest.approx(removed, rel=0.05)} == grown


def test_samples_are_written_redacted_up_to_the_days_cap(client: Client, tiers: Tiers):
    for number in range(5):
        client.ask(f"call me at +49 170 1234567 or ann.lee@example.com, {number}")
    wait_until(lambda: 3 == len(list(client.samples.glob("*/*.jsonl"))))
    texts = [path.read_text() for path in sorted(client.samples.glob("*/*.jsonl"))]
    written = [json.loads(text) for text in texts if "call me" in text]

    assert not any("1234567" in text or "ann.lee" in text for text in texts)
    for sample in written:
        assert sample["messages"][-1]["content"].startswith("call me at [number] or [email], ")
        assert "small" == sample["metadata"]["tier"]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_counts_are_what_was_asked_and_answered(client: Client, tiers: Tiers, path: str):
    names = ("requests", "tokens", "scores", "cut")
    before = {name: client.total(f"costpolicy_route_{name}_total") for name in names}
    status, document = completion("cut here", finish="length", tokens=(11, 4))
    document["choices"][0]["text"] = "cut here"
    document["usage"]["prompt_tokens_details"] = {"cached_tokens": 7}
    tiers.small.answer = lambda _: (status, document)
    for _ in range(3):
        client.ask(path=path, max_tokens=4)

    grown = {name: client.total(f"costpolicy_route_{name}_total") - before[name] for name in names}

    assert {"requests": 3, "tokens": 3 * (11 + 7 + 4), "scores": 3, "cut": 3} == grown
    assert 0 == client.total("costpolicy_route_callback_errors_total")


def test_a_client_that_hangs_up_is_counted_with_what_it_had_received(client: Client, tiers: Tiers):
    gone = threading.Event()

    def endless() -> Iterator[Any]:
        yield chunk([{"index": 0, "delta": {"content": "word"}, "finish_reason": None}])
        gone.wait(20)
        yield chunk([{"index": 0, "delta": {"content": "nobody reads this"}, "finish_reason": "stop"}])

    tiers.small.answer = lambda _: (200, endless())
    before = client.total("costpolicy_route_requests_total", outcome="answered")
    body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": EASY}]}
    with client.http.stream(
        "POST", "/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {SHOP}"}
    ) as answer:
        next(line for line in answer.iter_lines() if "word" in line)
    client.admitted += 1

    assert before + 1 == client.total("costpolicy_route_requests_total", outcome="answered")
    gone.set()


def test_what_only_the_cheap_tier_refuses_the_trusted_one_answers_and_is_counted_for_it(client: Client, tiers: Tiers):
    tiers.small.answer = lambda _: REFUSED
    answer = client.ask(headers={"x-costpolicy-feature": "summary"})
    labels = {"tier": "large", "policy": LARGE, "feature": "summary", "outcome": "answered"}

    assert (200, "from large") == (answer.status_code, answer.json()["choices"][0]["message"]["content"])
    assert 1 == client.total("costpolicy_route_requests_total", **labels)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize(("reply", "outcome"), [(REFUSED, "refused"), (FAILED, "failed")], ids=["refused", "failed"])
def test_what_no_tier_answers_arrives_as_the_tier_says_that_it_was_for_and_is_counted_once(
    client: Client, tiers: Tiers, reply: Any, outcome: str, path: str
):
    before = client.total("costpolicy_route_requests_total", outcome=outcome)
    tiers.small.answer = lambda _: reply
    tiers.large.answer = lambda _: (reply[0], {"error": {"message": "from a stand-in", "type": "x", "param": None}})
    answer = client.ask(path=path)
    said, arrived = reply[1]["error"], answer.json()["error"]

    assert reply[0] == answer.status_code
    assert said == {name: arrived[name] for name in said}
    assert (1, 1) == (len(tiers.small.asked), len(tiers.large.asked))
    assert before + 1 == client.total("costpolicy_route_requests_total", outcome=outcome)


def test_a_stream_is_handed_on_as_it_is_made_and_counted_once(client: Client, tiers: Tiers):
    """The tier says the next word only once the client has the one before."""
    arrived = threading.Semaphore(0)

    def words() -> Iterator[Any]:
        for number in range(3):
            yield chunk([{"index": 0, "delta": {"content": f"word {number}"}, "finish_reason": None}])
            assert arrived.acquire(timeout=20)
        yield chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        yield chunk([]) | {"usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}}
        yield "[DONE]"

    tiers.small.answer = lambda _: (200, words())
    before = client.total("costpolicy_route_tokens_total"), client.total("costpolicy_route_requests_total")
    body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": EASY}]}
    with client.http.stream(
        "POST", "/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {SHOP}"}
    ) as answer:
        lines = []
        for line in answer.iter_lines():
            lines.append(line)
            if "word" in line:
                arrived.release()
    client.admitted += 1

    assert [f"word {number}" for number in range(3)] == re.findall(r"word \d", "".join(lines))
    assert not any("usage" in line for line in lines)
    assert (before[0] + 14, before[1] + 1) == (
        client.total("costpolicy_route_tokens_total"),
        client.total("costpolicy_route_requests_total"),
    )


def test_a_run_of_the_same_word_is_no_reason_to_end_a_stream(client: Client, tiers: Tiers):
    def dashes() -> Iterator[Any]:
        for _ in range(300):
            yield chunk([{"index": 0, "delta": {"content": "-----"}, "finish_reason": None}])
        yield chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        yield "[DONE]"

    tiers.small.answer = lambda _: (200, dashes())

    assert 300 == client.ask(stream=True).text.count("-----")


def chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "tiny", "choices": choices}


def test_prometheus_reads_the_page_and_finds_nothing_to_complain_of(client: Client, tiers: Tiers):
    client.ask(headers={"x-costpolicy-feature": "search"}, max_tokens=50)
    page = client.page()
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert {one.name for one in Series().all()} == set(re.findall(r"^# TYPE (\S+)", page, flags=re.MULTILINE))
