"""Whether an answer is right: exact, contained, numeric; and how a judging model's reply is read.

Not covered: whether a judging model judges well.
"""

from decimal import Decimal

import pytest

from costpolicy.api.types import JudgeType
from costpolicy.quality.grading import grading_messages, read_grade
from costpolicy.quality.scoring import TextJudge, is_right, number_in

EXACT, CONTAINS, NUMERIC = JudgeType.EXACT, JudgeType.CONTAINS, JudgeType.NUMERIC


@pytest.mark.parametrize(
    ("judge", "expected", "answer", "right"),
    [
        (EXACT, "Paris", " paris\n", True),
        (EXACT, "New York", "new   york", True),
        (EXACT, "Paris", "Paris.", False),
        (EXACT, "Paris", "<think>Lyon? No.</think>\n\nParis", True),
        (EXACT, "\uff14\uff12", "42", True),  # full-width digits
        (CONTAINS, "Paris", "It is **Paris**, of course.", True),
        (CONTAINS, "Paris", "<think>Paris?</think>It is Lyon.", False),
        (CONTAINS, "4", "It is 42.", False),
        (CONTAINS, "cat", "concatenation", False),
        (CONTAINS, "\u6771\u4eac", "\u6771\u4eac\u3067\u3059", True),  # scripts without spaces between words
        (CONTAINS, "f(x)", "so f(x) = 2", True),
        (CONTAINS, "-5", "it is -5 degrees", True),
        (NUMERIC, "42", "6 x 7 = 42", True),
        (NUMERIC, "42", "The answer is $42.00.", True),
        (NUMERIC, "1,234.5", "1234.50", True),
        (NUMERIC, "42", "42, because 6 x 7", False),
        (NUMERIC, "-3", "x = \u22123", True),  # the typographic minus
        (NUMERIC, "3", "x = -3", False),
        (NUMERIC, "42", "forty-two", False),
        (NUMERIC, "600000", "6e5", True),
        (NUMERIC, "42", "", False),
    ],
)
def test_an_answer_is_compared_as_its_judge_says(judge: TextJudge, expected: str, answer: str, right: bool):
    assert right == is_right(judge, [expected], answer)


@pytest.mark.parametrize("judge", [EXACT, CONTAINS, NUMERIC])
def test_any_of_several_answers_will_do(judge: TextJudge):
    assert is_right(judge, ["1", "2"], "2")
    assert not is_right(judge, ["1", "2"], "3")


def test_a_number_may_be_off_by_the_tolerance_and_no_more():
    assert is_right(NUMERIC, ["3.14"], "about 3.1416", Decimal("0.002"))
    assert not is_right(NUMERIC, ["3.14"], "about 3.1416", Decimal("0.001"))


@pytest.mark.parametrize(
    ("text", "number"),
    [("from 3 to 4.", "4"), ("3-4", "4"), ("version v1.5", None), ("x42", None), ("10,20", "20"), ("1.5.2", "1.5")],
)
def test_the_last_number_counts(text: str, number: str | None):
    assert (None if number is None else Decimal(number)) == number_in(text)


@pytest.mark.parametrize(
    ("reply", "grade"),
    [
        ("yes", True),
        ("Yes.", True),
        ("**No**, it is not", False),
        ("<think>yes ... hm, no</think>no", False),
        ("", None),
        ("Perhaps", None),
        ("yesterday", None),
    ],
)
def test_a_judging_models_reply_is_yes_or_no_or_neither(reply: str, grade: bool | None):
    assert grade is read_grade(reply)


def test_a_judging_model_sees_question_expected_answer_and_answer():
    [_, shown] = grading_messages("Capital of France?", ["Paris", "Lutetia"], "It is Paris.")

    assert all(text in shown["content"] for text in ("Capital of France?", "Paris / Lutetia", "It is Paris."))
