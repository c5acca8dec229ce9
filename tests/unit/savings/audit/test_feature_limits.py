"""Caps by feature from what a router saw: far limits and none get one, near limits do not, and too little is said to be.

Not covered: reading the router's series (tests/contract/observe/test_feature_lengths.py), a real router (tests/router).
"""

import pytest

from auditing import equal, spread
from costpolicy.api.missing import Missing
from costpolicy.api.reasons import Reason
from costpolicy.savings.audit.feature_limits import FEWEST, Cap, Seen, WellAsked, judge
from costpolicy.savings.audit.lengths import Lengths

NONE = Lengths(bounds=(), cumulative=(), tokens=0.0)
ANSWERS = spread(1000.0, 200.0)
"""A thousand answers of up to 200 tokens."""


def test_clients_that_ask_for_twenty_times_what_they_get_are_told_a_cap():
    found = judge(Seen(asked=equal(1000.0, 4096.0), generated=ANSWERS, cut=0.0))

    assert isinstance(found, Cap)
    assert (200, 4096.0, 0.0) == (found.max_tokens, found.asked, found.cuts)
    assert found.evidence.startswith("requests ask for 4096 tokens, answers have 100 on average")


def test_clients_that_ask_for_no_limit_are_told_one():
    found = judge(Seen(asked=NONE, generated=ANSWERS, cut=0.0))

    assert isinstance(found, Cap)
    assert found.asked is None
    assert "ask for no limit" in found.evidence


def test_the_share_that_a_cap_would_cut_and_what_lies_beyond_are_told():
    few = equal(5.0, 2000.0)
    merged = Lengths(
        bounds=ANSWERS.bounds,
        cumulative=tuple(a + b for a, b in zip(ANSWERS.cumulative, few.cumulative, strict=True)),
        tokens=ANSWERS.tokens + few.tokens,
    )
    found = judge(Seen(asked=NONE, generated=merged, cut=0.0))

    assert isinstance(found, Cap)
    assert found.max_tokens == 200
    assert found.cuts == pytest.approx(5 / 1005)
    assert found.beyond == pytest.approx(5 * 1800 / merged.tokens)


def test_limits_near_the_answers_are_left_alone():
    assert isinstance(judge(Seen(asked=equal(1000.0, 400.0), generated=ANSWERS, cut=0.0)), WellAsked)


def test_answers_that_are_cut_say_nothing_about_how_long_they_need_to_be():
    found = judge(Seen(asked=equal(1000.0, 200.0), generated=ANSWERS, cut=300.0))

    assert isinstance(found, Missing)
    assert (Reason.NOT_STATED, "30%") == (found.reason, found.message.split()[0])


def test_a_handful_of_answers_is_too_few_for_a_cap():
    found = judge(Seen(asked=NONE, generated=spread(FEWEST - 1.0, 200.0), cut=0.0))

    assert isinstance(found, Missing)
    assert found.reason is Reason.NO_TRAFFIC
