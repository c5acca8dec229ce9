"""How much a scrape of the operator carries: bounded by what policies have, not by time.  Not covered: its counters' values."""

import re

from exposition_size import PODS_EACH, exposition_of

MEGABYTE = 1_000_000


def series(page: bytes) -> int:
    return len(re.findall(rb"^costpolicy_(?!reconcile|api_requests|decision|leader)\w+\{", page, re.MULTILINE))


def test_a_thousand_policies_are_less_than_two_megabytes():
    page = exposition_of(1000)

    assert b"costpolicy_unmet_condition{" in page
    assert b"costpolicy_saved_per_hour{" in page
    assert len(page) < 2 * MEGABYTE


def test_the_number_of_series_is_proportional_to_policies_and_pods():
    """Per policy: two states of accelerators, price, kernels, two promises, two budgets, month, forecast, two savings, objective."""
    assert series(exposition_of(20)) - series(exposition_of(10)) == 10 * (13 + PODS_EACH)
