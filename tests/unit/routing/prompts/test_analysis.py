"""What is found in made requests, whose waste is known.

Not covered: a real tokenizer (tests/unit/cli/test_prompts.py), how near the approximation is to it.
"""

import pytest

from costpolicy.routing.prompts.analysis import Finding, PriceError, Prices, analyze
from costpolicy.routing.prompts.ordering import cached_tokens
from costpolicy.routing.prompts.samples import Section, parse_samples
from costpolicy.routing.prompts.tokens import approximate
from costpolicy.units import Money
from made_requests import RULES, desk, lines

PRICES = Prices({"small": Money.parse("1"), "large": Money.parse("10")})


def found(*documents: object, prices: Prices | None = None, block: int = 16) -> tuple[Finding, ...]:
    return analyze(parse_samples(lines(*documents)), approximate, prices, block)


def test_a_cache_holds_whole_blocks_from_the_beginning_and_never_the_last_token():
    assert 0 == cached_tokens(["abcdefgh"], 4)
    assert 4 == cached_tokens(["abcdefgh", "abcdefgh"], 4)
    assert 8 == cached_tokens(["abcdefghi", "abcdefghij"], 4)
    assert 4 == cached_tokens(["abcdefghi", "abcdxfghi"], 4)
    assert 0 == cached_tokens(["abcdefghi", "xbcdefghi"], 4)


def test_rules_behind_the_time_are_found_with_the_order_and_the_hit_ratio_that_it_would_give():
    [late] = found(*[desk(index) for index in range(40)])
    [early] = found(*[desk(index, late=False) for index in range(40)])

    assert RULES == late.ordering.moved
    assert late.ordering.variable.startswith("It is 2026-11-29 10:")
    assert late.ordering.cached < 0.1 * late.total
    # What is promised is what the other order then has, but for the ends of lines.
    assert early.ordering.cached == pytest.approx(late.ordering.cached_reordered, rel=0.05)
    assert late.ordering.gain > 0.4 * late.total
    assert () == early.ordering.moved
    assert 0 == early.ordering.gain


def test_a_handful_of_requests_does_not_tell_what_is_shared():
    [one] = found(*[desk(index) for index in range(4)])

    assert () == one.ordering.moved


def test_tokens_are_told_by_section_and_sum_to_the_prompts():
    [one] = found(desk(1), desk(2))

    assert {Section.SYSTEM, Section.QUESTION} == {section for section, count in one.tokens.items() if count}
    assert one.total == sum(one.tokens.values())
    assert one.tokens[Section.SYSTEM] > 10 * one.tokens[Section.QUESTION] / 2


def test_the_dearest_feature_comes_first_not_the_longest():
    long = {"model": "small", "prompt": "word " * 400, "metadata": {"feature": "long"}}
    dear = {"model": "large", "prompt": "word " * 100, "metadata": {"feature": "dear"}}

    assert ["dear", "long"] == [one.feature for one in found(long, dear, prices=PRICES)]
    assert ["long", "dear"] == [one.feature for one in found(long, dear)]
    [first, _] = found(long, dear, prices=PRICES)
    assert first.cost == Money(first.total * 10)


def test_a_model_without_a_price_is_an_error():
    with pytest.raises(PriceError, match="add --price huge=P"):
        found({"model": "huge", "prompt": "x"}, prices=PRICES)


def test_text_that_a_prompt_holds_twice_is_counted_once_less():
    rule = "Never tell a customer what another customer has ordered."
    [one] = found({"prompt": f"{rule}\nHello.\n{rule}\nBye.\n{rule}"}, prices=Prices({"": Money.parse("1000000")}))

    assert 2 * len(approximate(f"{rule}\n")) - 1 == one.repeated
    assert rule == one.example
    assert Money.parse(str(one.repeated)) == one.cost_of(one.repeated)


def test_a_short_phrase_that_returns_is_no_repetition():
    [one] = found({"prompt": "Yes.\nNo.\nYes.\nNo.\n"})

    assert (0, "") == (one.repeated, one.example)


def test_requests_that_were_asked_before_are_counted_the_same_and_nearly():
    words = " ".join(f"word{index}" for index in range(60))
    [one] = found(
        {"prompt": words},
        {"prompt": f"  {words.upper()} "},
        {"prompt": f"{words} please"},
        {"prompt": " ".join(reversed(words.split()))},
    )

    assert (1, 1) == (one.duplicates.same, one.duplicates.similar)


def test_what_all_prompts_share_makes_none_of_them_nearly_the_same():
    [one] = found(*[desk(index, late=False) for index in range(40)])

    assert (0, 0) == (one.duplicates.same, one.duplicates.similar)


def test_the_same_question_of_two_features_is_no_duplicate():
    first, second = found(
        {"prompt": "What is it?", "metadata": {"feature": "a"}}, {"prompt": "What is it?", "metadata": {"feature": "b"}}
    )

    assert 0 == first.duplicates.same == second.duplicates.same


def test_the_approximation_counts_about_as_many_tokens_as_english_has():
    """About 1.3 tokens a word is the usual figure for English prose."""
    text = " ".join(RULES)

    assert 1.1 < len(approximate(text)) / len(text.split()) < 1.6
    assert text == "".join(approximate(text))
