"""Matchers are validated and enter every selector; every metric of every query sits in one.

Covered: matcher grammar, injection, every selector of every question and rule.
Not covered: what Prometheus answers (tests/contract/observe).
"""

import re

import pytest

from costpolicy.observe.fleet import ObserveSettings
from costpolicy.observe.questions import MAX_QUERIES, QUESTIONS
from costpolicy.observe.scope import Scope, parse_matchers

METRIC = re.compile(r"((?:vllm|costpolicy(?:_variant|_policy)?):[\w:]+|costpolicy_\w+|\bup\b)(\{[^}]*\})?")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", ""),
        ("  ", ""),
        ('cluster="prod-eu"', 'cluster="prod-eu"'),
        (' cluster = "prod-eu" , tenant=~"a|b" ', 'cluster="prod-eu",tenant=~"a|b"'),
        ('cluster="a",', 'cluster="a"'),
        (r'cluster="with \"quotes\", and commas"', r'cluster="with \"quotes\", and commas"'),
        ('region!="x",zone!~"y.*"', 'region!="x",zone!~"y.*"'),
    ],
)
def test_label_matchers_are_read(text: str, canonical: str) -> None:
    assert canonical == parse_matchers(text)


@pytest.mark.parametrize(
    "text",
    [
        "cluster",
        "cluster=prod",
        "cluster='prod'",
        'cluster=="prod"',
        'cluster="prod"} or up{x="y"',
        'cluster="a" tenant="b"',
        ',cluster="a"',
        'cluster="a\nb"',
        '1cluster="a"',
        '{cluster="a"}',
    ],
)
def test_what_is_not_a_list_of_matchers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a list of label matchers"):
        parse_matchers(text)


@pytest.mark.parametrize("label", ["policy", "costpolicy", "variant", "le", "__name__"])
def test_labels_that_the_queries_set_are_refused(label: str) -> None:
    with pytest.raises(ValueError, match=f"restricts {label}"):
        ObserveSettings(matchers=f'{label}="x"').scope()


@pytest.mark.parametrize("question", QUESTIONS)
def test_matchers_enter_every_selector(question: str) -> None:
    text = QUESTIONS[question](Scope(matchers='cluster="prod-eu"'))
    selectors = METRIC.findall(text)
    assert selectors
    assert [] == [name for name, inside in selectors if 'cluster="prod-eu"' not in inside]


def test_a_cycle_asks_at_most_25_questions() -> None:
    assert len(QUESTIONS) <= MAX_QUERIES == 25
