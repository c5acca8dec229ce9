"""The file with prompts: what is read, and what is said about what cannot be read."""

import json
from decimal import Decimal

import pytest

from costpolicy.api.types import JudgeType
from costpolicy.quality.prompts import PromptError, digest_of, parse_prompts

CHAT = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "6 x 7?"}], "answer": "42"}
TEXT = {"prompt": "6 x 8 =", "answer": ["48", "forty-eight"], "maxTokens": 8}


def lines(*documents: object) -> str:
    return "\n".join(json.dumps(document) for document in documents)


def test_chats_and_texts_are_read_with_their_line():
    chat, text = parse_prompts("\n" + lines(CHAT, TEXT) + "\n\n")

    assert (2, {"messages": CHAT["messages"]}, ("42",)) == (chat.line, chat.request, chat.expected)
    assert (3, {"prompt": "6 x 8 ="}, ("48", "forty-eight"), 8) == (
        text.line,
        text.request,
        text.expected,
        text.max_tokens,
    )
    assert "Be brief.\n6 x 7?" == chat.question


def test_a_tolerance_is_read_exactly():
    [prompt] = parse_prompts('{"prompt": "pi?", "answer": "3.14", "tolerance": 0.1}', JudgeType.NUMERIC)

    assert Decimal("0.1") == prompt.tolerance


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "there is no prompt"),
        ("{", "line 1, column 2: not JSON"),
        (lines(CHAT) + "\n[1]", "line 2: a prompt is a JSON object"),
        (lines({**TEXT, "anwser": "x"}), "line 1: anwser is unknown"),
        (lines({**CHAT, **TEXT}), "line 1: write either prompt or messages"),
        (lines({"answer": "42"}), "line 1: write a prompt"),
        (lines({"prompt": " ", "answer": "42"}), "line 1: write a prompt"),
        (lines({"messages": [], "answer": "42"}), "line 1: write a prompt"),
        (lines({"messages": [{"role": "user"}], "answer": "42"}), "line 1: a message has a role"),
        (lines({"messages": [{"role": "tool", "content": "x"}], "answer": "42"}), "line 1: a message has a role"),
        (lines({"prompt": "x"}), "line 1: answer must be"),
        (lines({"prompt": "x", "answer": 42}), "line 1: answer must be"),
        (lines({"prompt": "x", "answer": []}), "line 1: answer must be"),
        (lines({"prompt": "x", "answer": ["a", 1]}), "line 1: answer must be"),
        (lines({"prompt": "x", "answer": " "}), "line 1: answer must be"),
        (lines({"prompt": "x", "answer": "y", "maxTokens": 0}), "line 1: maxTokens"),
        (lines({"prompt": "x", "answer": "y", "tolerance": 1}), "line 1: only the judge Numeric"),
        (lines(TEXT, CHAT, TEXT), "line 3 asks the same as line 1"),
    ],
)
def test_a_bad_line_is_named_with_what_to_write(written: str, said: str):
    with pytest.raises(PromptError) as raised:
        parse_prompts(written)

    assert str(raised.value).startswith(said)


@pytest.mark.parametrize("extra", [{"answer": "many"}, {"tolerance": -1}, {"tolerance": True}])
def test_numbers_need_numbers(extra: dict[str, object]):
    with pytest.raises(PromptError, match="line 1: "):
        parse_prompts(lines({"prompt": "x", "answer": "1", **extra}), JudgeType.NUMERIC)


def test_the_digest_tells_other_prompts_from_the_same_in_another_order():
    one, other = parse_prompts(lines(CHAT, TEXT)), parse_prompts(lines(TEXT, CHAT))

    assert digest_of(one) == digest_of(other)
    assert digest_of(one) != digest_of(parse_prompts(lines(CHAT, {**TEXT, "answer": "48"})))
