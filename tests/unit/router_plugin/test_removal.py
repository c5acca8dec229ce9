"""Tokens that compression left out of a request, and which of them a prefix cache would have had.

Not covered: what a real cache holds (LiteLLM and tiers are in contract/router).
"""

import json
from typing import Any

import pytest

from costpolicy.router_plugin.compression import Limits, shortened
from costpolicy.router_plugin.removal import Removal, Removed, removal

LONG = "".join(f"Sentence {number} of the report says little. " for number in range(60))
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": LONG},
    {"role": "user", "content": "Two?"},
    {"role": "assistant", "content": LONG},
    {"role": "user", "content": "Three?"},
]
LIMITS = Limits(minimum=500, ratio=0.5)


def of(messages: list[dict[str, Any]] = TALK, tools: object = None) -> Removal:
    found = removal(messages, shortened(messages, LIMITS), tools)
    assert found is not None
    return found


def length(*values: object) -> int:
    return sum(len(json.dumps(value)) for value in values)


def test_each_cut_has_its_place_and_its_characters():
    after = shortened(TALK, LIMITS)
    found = of()

    assert length(*after) == found.sent
    assert (length(after[0]), length(*after[:3])) == tuple(place for place, _ in found.cuts)
    assert length(*TALK) - length(*after) == found.characters


def test_tools_stand_in_front():
    tools = [{"type": "function", "function": {"name": "read"}}]

    assert length(tools) == of(tools=tools).sent - of().sent == of(tools=tools).cuts[0][0] - of().cuts[0][0]


@pytest.mark.parametrize(
    ("cached", "hits"), [(0, 0), (400, 1), (1000, 2)], ids=["nothing", "the first answer", "everything"]
)
def test_what_was_left_out_in_front_of_the_end_of_the_cached_part_would_have_been_found(cached: int, hits: int):
    found = of()
    tokens = found.tokens(1000, cached)
    each = [round(missing * 1000 / found.sent) for _, missing in found.cuts]

    assert (sum(each[hits:]), sum(each[:hits])) == (
        pytest.approx(tokens.missed, abs=2),
        pytest.approx(tokens.hit, abs=2),
    )
    assert 0 == tokens.unknown


def test_where_the_tier_says_nothing_of_its_cache_it_is_not_known():
    found = of().tokens(1000, None)

    assert (0, 0, True) == (found.missed, found.hit, found.unknown > 500)


def test_an_answer_without_tokens_counts_none():
    assert Removed() == of().tokens(0, 0)


def test_a_request_that_nothing_was_taken_out_of_has_no_removal():
    assert removal(TALK, list(TALK), None) is None
