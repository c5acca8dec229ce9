"""Samples: which, how many, what is left out.  Not covered: names, which redaction by form cannot know."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.router_plugin.compression import Limits
from costpolicy.router_plugin.redaction import redact
from costpolicy.router_plugin.routes import Sampling
from costpolicy.router_plugin.sampling import WAITING, Samples, is_sampled, sample_of, write
from costpolicy.routing.prompts.samples import parse_samples
from waiting import wait_until

NOW = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)


def sampling(folder: Path, per_day: int = 10, retention: int = 5 * 86400) -> Sampling:
    return Sampling(share=1, per_day=per_day, folder=str(folder), retention_seconds=retention)


def test_about_its_share_of_requests_is_sampled_the_same_ones_everywhere():
    chosen = [is_sampled(f"request {number}", 0.1) for number in range(5000)]

    assert 400 < sum(chosen) < 600
    assert chosen == [is_sampled(f"request {number}", 0.1) for number in range(5000)]
    assert (True, False) == (is_sampled("any", 1), is_sampled("any", 0))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("write to ann.lee+x@mail.example.co.uk now", "write to [email] now"),
        ("call +49 (170) 123-4567 8", "call [number]"),
        ("card 4111 1111 1111 1111.", "card [number]."),
        ("DE89 3704 0044 0532 0130 00 is it", "[iban] is it"),
        ("from 10.20.30.40", "from [address]"),
        ("key sk-abcDEF0123456789xyz ok", "key [key] ok"),
        ("id 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "id [key]"),
        ("12 apples cost 3.50 in 2026", "12 apples cost 3.50 in 2026"),
        ("pi is 3.14159265358979", "pi is 3.14159265358979"),
    ],
)
def test_what_has_the_form_of_a_persons_data_is_replaced(text: str, left: str):
    assert left == redact(text)


@given(st.text())
def test_any_text_can_be_redacted_and_is_then_left_as_it_is(text: str):
    assert redact(text) == redact(redact(text))


@pytest.mark.parametrize("unit", ["1.", "A", "a1", "1 ", "x@"])
def test_no_text_takes_longer_to_redact_than_its_length_says(unit: str):
    """One that did would stop the router.  Where time grows with the square of the length, this one takes hours."""
    text = unit * 500_000

    assert redact(f"{text} ann@example.com").endswith(" [email]")


def test_a_long_conversation_keeps_its_calls_of_tools_where_its_compression_is_to_be_judged():
    arguments = json.dumps({"to": "ann@example.com", "account": 1234567890, "count": 3, "deep": [None, True, "hi"]})
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": arguments}}
    broken = {"id": "call_2", "type": "function", "function": {"name": "find", "arguments": "{ann@example.com"}}
    messages = [
        {"role": "user", "content": "find it"},
        {"role": "assistant", "content": None, "tool_calls": [call, broken, {"id": "call_3", "type": "custom"}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Found. " * 100},
    ]
    limits = Limits(minimum=500, ratio=0.5)
    _, assistant, tool = sample_of({"messages": messages}, {}, limits)["messages"]
    kept, other = assistant["tool_calls"]

    assert ("call_1", "find") == (kept["id"], kept["function"]["name"])
    assert {"to": "[email]", "account": "[number]", "count": 3, "deep": [None, True, "hi"]} == json.loads(
        kept["function"]["arguments"]
    )
    assert "{}" == other["function"]["arguments"]
    assert "call_1" == tool["tool_call_id"]


@pytest.mark.parametrize("limits", [None, Limits(minimum=5000, ratio=0.5)])
def test_what_is_not_to_be_shortened_keeps_text_alone(limits: Limits | None):
    messages = [{"role": "tool", "tool_call_id": "call_1", "content": "Found. " * 100}]

    assert [{"role", "content"}] == [set(one) for one in sample_of({"messages": messages}, {}, limits)["messages"]]


def test_a_sample_is_a_request_that_the_analysis_of_prompts_reads():
    request = {
        "model": "chat",
        "user": "ann",
        "tools": [{"type": "function"}],
        "temperature": 0,
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "mail a@b.cd"}, {"type": "image_url"}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            "broken",
        ],
    }
    sample = sample_of(request, {"feature": "search", "tier": "small", "score": 0.2})
    [read] = parse_samples(json.dumps(sample))

    assert {"messages", "metadata", "temperature"} == sample.keys()
    assert ["mail [email]", ""] == [message["content"] for message in sample["messages"]]
    assert "search" == read.feature


def test_replicas_that_share_a_folder_share_the_days_cap(tmp_path: Path):
    with ThreadPoolExecutor(8) as replicas:
        list(replicas.map(lambda number: write(sampling(tmp_path, 25), {"n": number}, NOW), range(100)))
    written = [path.read_text() for path in tmp_path.glob("*/*.jsonl")]

    assert 25 == len({json.loads(line)["n"] for line in written})
    assert not list(tmp_path.glob("*/*.part"))


def test_another_day_has_a_cap_of_its_own_and_old_days_are_deleted(tmp_path: Path):
    for day in range(9):
        write(sampling(tmp_path, per_day=1), {}, NOW + timedelta(days=day))

    assert ["2026-12-02", "2026-12-03", "2026-12-04", "2026-12-05", "2026-12-06", "2026-12-07"] == sorted(
        day.name for day in tmp_path.iterdir()
    )


def test_a_folder_that_cannot_be_written_is_told_and_the_next_sample_tried(tmp_path: Path):
    told: list[Exception] = []
    (tmp_path / "file").touch()
    samples = Samples(now=lambda: NOW, failed=told.append)
    samples.offer(sampling(tmp_path / "file"), dict)
    samples.offer(sampling(tmp_path / "folder"), dict)
    samples.close()

    assert 1 == len(told)
    assert 1 == len(list(tmp_path.glob("folder/*/*.jsonl")))


def test_what_comes_while_too_many_wait_is_dropped_and_nobody_waits(tmp_path: Path):
    reading: list[datetime] = []

    def stuck() -> datetime:
        wait_until(lambda: bool(reading))
        return NOW

    samples = Samples(now=stuck, failed=lambda _: None)
    taken = sum(samples.offer(sampling(tmp_path, 10_000), dict) for _ in range(WAITING * 2))
    reading.append(NOW)
    samples.close()

    assert WAITING <= taken <= WAITING + 1
    assert taken == len(list(tmp_path.glob("*/*.jsonl")))
