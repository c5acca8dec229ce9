"""A bill by feature, whatever was recorded: it sums up exactly, and nobody gets more than it has.

Not covered: what is recorded (tests/contract/observe/test_feature_rules.py).
"""

from hypothesis import given
from hypothesis import strategies as st

from costpolicy.savings.features import UNATTRIBUTED, split, together
from costpolicy.units import Money

AMOUNTS = st.integers(0, 10**13).map(Money)
FEATURES = st.dictionaries(st.sampled_from(["search", "chat", "other", UNATTRIBUTED]), AMOUNTS)


@given(bill=AMOUNTS, recorded=FEATURES)
def test_the_parts_sum_up_to_the_bill(bill: Money, recorded: dict[str, Money]):
    assert bill.micros == sum(part.micros for part in split(bill, recorded).values())


@given(bill=AMOUNTS, recorded=FEATURES)
def test_a_feature_gets_no_more_than_was_recorded_of_it(bill: Money, recorded: dict[str, Money]):
    for feature, part in split(bill, recorded).items():
        assert feature == UNATTRIBUTED or part.micros <= recorded[feature].micros


@given(bill=AMOUNTS, recorded=FEATURES)
def test_what_nobody_names_is_what_the_named_leave(bill: Money, recorded: dict[str, Money]):
    named = sum(cost.micros for feature, cost in recorded.items() if feature != UNATTRIBUTED)
    beside = recorded.get(UNATTRIBUTED, Money(0)).micros
    if named + beside <= bill.micros:
        assert bill.micros - named == split(bill, recorded).get(UNATTRIBUTED, Money(0)).micros


@given(st.lists(st.tuples(AMOUNTS, FEATURES), max_size=5))
def test_bills_of_several_policies_add_up(bills: list[tuple[Money, dict[str, Money]]]):
    total = together(split(bill, recorded) for bill, recorded in bills)
    assert sum(bill.micros for bill, _ in bills) == sum(cost.micros for cost in total.values())
