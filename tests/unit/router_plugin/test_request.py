"""What a request says of itself, and what a cap changes of it.  Not covered: other formats than chats and completions."""

from typing import Any

import pytest

from costpolicy.router_plugin.request import asked_tokens, capped, feature_of, prompt_of, stops_with

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("request_", "prompt"),
    [
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, "a"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}, "b"),
        ({"messages": [{"role": "system", "content": "a"}]}, ""),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE, {"type": "text", "text": "b"}]}]}, "a\nb"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, ""),
        ({"messages": [{"role": "user", "content": None}, {"role": "tool", "content": "x"}]}, ""),
        ({"messages": [7, None, {"role": "user"}]}, ""),
        ({"messages": None}, ""),
        ({"prompt": "once upon"}, "once upon"),
        ({"prompt": ["once", "upon"]}, "once\nupon"),
        ({"prompt": [1, 2, 3]}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_prompt_is_the_text_of_the_users_last_message(request_: dict[str, Any], prompt: str):
    assert prompt == prompt_of(request_)


@pytest.mark.parametrize(
    ("header", "request_", "tags", "feature"),
    [
        ("search", {"metadata": {"feature": "summary"}}, ["feature:summary"], "search"),
        (None, {"metadata": {"feature": "summary"}}, ["feature:search"], "summary"),
        (None, {}, ["team-a", "feature:search", "feature:summary"], "search"),
        (None, {"metadata": {"feature": 7}}, [8, "feature:"], "unattributed"),
        ("", {"metadata": None}, [], "unattributed"),
        ("poem", {}, [], "other"),
        ("other", {}, [], "other"),
    ],
)
def test_a_feature_is_told_by_header_then_metadata_then_tag(
    header: str | None, request_: dict[str, Any], tags: list[object], feature: str
):
    assert feature == feature_of(request_, header, tags, frozenset({"search", "summary"}))


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, {"max_tokens": 100}),
        ({"max_tokens": None}, {"max_tokens": 100}),
        ({"max_tokens": 101}, {"max_tokens": 100}),
        ({"max_tokens": 100}, {}),
        ({"max_tokens": 1}, {}),
        ({"max_tokens": 500, "max_completion_tokens": 400}, {"max_tokens": 100, "max_completion_tokens": 100}),
        ({"max_tokens": 500, "max_completion_tokens": 40}, {"max_tokens": 100}),
        ({"max_tokens": 500, "min_tokens": 200}, {}),
        ({"max_tokens": "many"}, {}),
        ({"max_tokens": True}, {}),
    ],
)
def test_a_cap_lowers_limits_and_raises_none(given: dict[str, Any], changed: dict[str, int]):
    assert changed == capped(given, 100, is_chat=True)


def test_a_completion_without_a_limit_ends_by_itself_and_gets_none():
    assert {} == capped({"prompt": "x"}, 100, is_chat=False)
    assert {"max_tokens": 100} == capped({"prompt": "x", "max_tokens": 200}, 100, is_chat=False)


def test_what_is_asked_for_is_the_least_limit():
    assert [None, 7, 7] == [
        asked_tokens(one) for one in ({}, {"max_tokens": 7}, {"max_tokens": 9, "max_completion_tokens": 7})
    ]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, ["END"]),
        ("STOP", ["STOP", "END"]),
        (["a", "b"], ["a", "b", "END"]),
        (["END"], None),
        (["a", "b", "c", "d"], None),
        (["a", "b", "c", "d", "e"], None),
    ],
)
def test_stop_sequences_are_added_behind_the_clients_own_up_to_four(given: Any, found: list[str] | None):
    assert found == stops_with({"stop": given}, ("END",))
