"""What is left of long messages.  Not covered: whether answers stay right, which only an evaluation on them can show."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costpolicy.router_plugin.compression import LEFT_OUT, Limits, compress, shorten

FILLER = "The committee met again and approved the minutes of the meeting before. "
NEEDLE = "The warranty of the blue kettle ends after eighteen months. "
RESULT = f"Report of the committee.\n{FILLER * 20}{NEEDLE}{FILLER * 20}End of the report."
LIMITS = Limits(minimum=500, ratio=0.3)


def talk(*more: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": "system", "content": "Be brief. " * 200},
        {"role": "user", "content": "How long is the warranty of the kettle?"},
        {"role": "tool", "content": RESULT, "tool_call_id": "1"},
        *more,
    ]


def test_what_was_asked_about_stays_and_filler_goes():
    [system, user, result] = compress(talk(), LIMITS)

    assert [system, user] == talk()[:2]
    assert NEEDLE.strip() in result["content"]
    assert len(result["content"]) <= 0.3 * len(RESULT) + 2 * len(LEFT_OUT) + 2
    assert result["content"].startswith("Report of the committee.")
    assert result["content"].endswith("End of the report.")
    assert "1" == result["tool_call_id"]


def test_a_gap_is_marked():
    assert LEFT_OUT in shorten(RESULT, "", 0.3)


def test_messages_below_the_minimum_are_left_as_they_are():
    assert talk() == list(compress(talk(), Limits(minimum=len(RESULT) + 1, ratio=0.3)))


def test_what_comes_later_changes_nothing_so_the_prefix_cache_stays_warm():
    later = ({"role": "assistant", "content": "18 months."}, {"role": "user", "content": "And of the committee?"})

    assert compress(talk(), LIMITS) == compress(talk(*later), LIMITS)[:3]


@given(st.text(alphabet=st.sampled_from("ab. \n")), st.text(), st.floats(0.01, 1))
def test_what_is_kept_was_there_and_is_never_longer(text: str, question: str, ratio: float):
    kept = shorten(text, question, ratio)

    assert len(kept) <= len(text)
    assert all(part in text for part in kept.split(f"{LEFT_OUT}\n"))


@pytest.mark.parametrize(
    "broken",
    [
        [{"role": "tool"}],
        [{"content": "x"}],
        ["x"],
        None,
        [{"role": "tool", "content": "x" * 900}, {"role": None, "content": None}, 7],
    ],
)
def test_what_it_does_not_understand_passes_unchanged(broken: Any):
    assert broken == compress(broken, LIMITS)


def test_content_in_parts_passes_unchanged():
    parts = [{"role": "tool", "content": [{"type": "text", "text": RESULT}]}]

    assert parts == compress(parts, LIMITS)
