"""The file with sampled requests: what is read, and what is said about what cannot be read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.routing.prompts.samples import SampleError, Section, parse_samples
from made_requests import desk, lines


def test_a_conversation_is_divided_by_what_each_part_is_for():
    [request] = parse_samples(
        lines(
            {
                "model": "large",
                "metadata": {"feature": "search"},
                "tools": [{"type": "function", "function": {"name": "look"}}],
                "messages": [
                    {"role": "system", "content": "Be brief. Be kind."},
                    {"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "look"}}]},
                    {"role": "tool", "content": "It rains."},
                    {"role": "user", "content": [{"type": "text", "text": "And now?"}, {"type": "image_url"}]},
                ],
            }
        )
    )

    assert ("search", "large") == (request.feature, request.model)
    assert list(Section) == list(dict.fromkeys(segment.section for segment in request.segments))
    assert ["Be brief. ", "Be kind.\n"] == [one.text for one in request.segments if one.section is Section.SYSTEM]
    assert "And now?\n" == request.text(Section.QUESTION)
    assert '"look"' in request.text(Section.TOOLS)
    assert request.text(Section.HISTORY).startswith("Hi\n[{")


def test_texts_to_be_continued_and_lines_of_batch_files_are_read_too():
    text, batch = parse_samples("\n" + lines({"prompt": "6 x 7 ="}, {"custom_id": "1", "body": desk(1)}) + "\n")

    assert ("6 x 7 =", "unattributed", "desk") == (text.text(), text.feature, batch.feature)


def test_a_feature_may_stand_anywhere():
    [request] = parse_samples(lines({"prompt": "x", "user": "team-a"}), "user")

    assert "team-a" == request.feature


@given(st.text(alphabet=st.sampled_from("ab.!? \n\t")).filter(bool))
def test_nothing_is_lost_between_segments(text: str):
    [request] = parse_samples(lines({"prompt": text}))

    assert text == request.text()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "there is no request"),
        ("{", "line 1, column 2: not JSON"),
        (lines({"prompt": "x"}, []), "line 2: write an object with messages"),
        (lines({"messages": []}), "line 1: write an object with messages"),
        (lines({"messages": ["Hi"]}), "line 1: each message has a role"),
        (lines({"messages": [{"role": "user", "content": 7}]}), "line 1: a message's content is a text"),
    ],
)
def test_a_bad_line_is_named_with_what_to_write(written: Any, said: str):
    with pytest.raises(SampleError) as raised:
        parse_samples(written)

    assert said in str(raised.value)
