"""Days of offered load in one rate.

Covered: the first day, the first week, the half-life of a high day, spikes, weekends, a week that is no pattern, short
windows; against a histogram that really decays.
Not covered: how the quantiles are asked for (tests/contract/observe).
"""

import random
from datetime import timedelta

import pytest

from costpolicy.observe.day_queries import offered_over_days
from costpolicy.observe.days import DAY, DAYS, HIGH, RECENT, STEADY, WEEK, Stretch, high_rate
from costpolicy.observe.scope import Scope

HOURS = 24


def quantile(rates: list[float], share: float) -> float:
    return sorted(rates)[min(int(share * len(rates)), len(rates) - 1)]


def stretches(days: list[list[float]]) -> dict[str, float]:
    """What is asked of days of rates, the newest first."""
    found = {Stretch.MOST: max(days[0]), Stretch.ALL: quantile([rate for day in days[:7] for rate in day], HIGH)}
    asked = {stretch: (ago, share) for stretch, (ago, share) in DAYS.items() if ago < len(days)}
    return {**found, **{stretch: quantile(days[ago], share) for stretch, (ago, share) in asked.items()}}


def flat(*rates: float) -> list[list[float]]:
    return [[rate] * HOURS for rate in rates]


def test_without_history_there_is_no_rate():
    assert high_rate({}, None) is None
    assert high_rate({}, WEEK) is None


@pytest.mark.parametrize("span", [None, timedelta(0), DAY - timedelta(seconds=1)])
def test_within_its_first_day_a_deployment_is_chosen_for_the_most_that_it_has_seen(span):
    crowded = [[2.0] * 23 + [40.0]]

    assert 40.0 == high_rate(stretches(crowded), span)


def test_within_its_first_week_every_day_counts_alike():
    weekend = flat(2, 2, 40, 40, 40)

    assert 40.0 == high_rate(stretches(weekend), 5 * DAY)


def test_with_a_week_of_history_a_higher_day_is_forgotten_after_five():
    days = [4.0] * 9
    seen = []
    for ago in range(9):
        high = [*days[:ago], 40.0, *days[ago + 1 :]]
        seen.append(high_rate(stretches(flat(*high[:8])), WEEK))

    assert [40.0] * 5 == seen[:5], "a whole day counts for as long as its weight is more than 5 %"
    assert 4.0 == seen[5]


def test_the_longer_ago_a_crowd_was_the_longer_it_must_have_stayed():
    def crowd(ago: int, hours: int) -> float | None:
        days = flat(*[4.0] * 8)
        days[ago] = [40.0] * hours + [4.0] * (HOURS - hours)
        return high_rate(stretches(days), WEEK)

    assert [2, 3, 5, 10, 20] == [next(hours for hours in range(25) if crowd(ago, hours) == 40.0) for ago in range(5)]


def office(weekday: int) -> list[float]:
    return [2.0] * HOURS if weekday >= 5 else [2.0] * 8 + [40.0] * 9 + [2.0] * 7


@pytest.mark.parametrize("today", range(7))
def test_a_weekend_does_not_shrink_what_monday_needs(today: int):
    days = [office((today - ago) % 7) for ago in range(8)]

    assert 40.0 == high_rate(stretches(days), WEEK)


def test_a_week_that_does_not_repeat_itself_says_nothing_about_the_day_to_come():
    grew, shrank, alike = (flat(rate, 4, 4, 4, 4, 4, 9, before) for rate, before in ((7, 4), (4, 7), (4, 5)))

    assert [7.0, 4.0, 9.0] == [high_rate(stretches(days), WEEK) for days in (grew, shrank, alike)]
    assert 7 > 4 * STEADY > 5


def test_a_week_that_is_not_known_to_repeat_itself_may():
    assert 9.0 == high_rate(stretches(flat(4, 4, 4, 4, 4, 4, 9)), WEEK)


def decayed(days: list[list[float]], share: float) -> float:
    """The quantile of a histogram of which each day weighs half as much as the one after it."""
    weighed = sorted((rate, 0.5**ago) for ago, day in enumerate(days) for rate in day)
    total, reached = sum(weight for _, weight in weighed), 0.0
    for rate, weight in weighed:
        reached += weight
        if reached > share * total:
            return rate
    return weighed[-1][0]


def test_it_lies_between_the_quantiles_of_a_histogram_that_really_decays():
    drawn = random.Random(18)
    for _ in range(300):
        days = [[drawn.lognormvariate(drawn.uniform(0, 1), 0.8) for _ in range(288)] for _ in range(8)]
        recent = {stretch: quantile(days[ago], share) for stretch, (ago, share) in RECENT.items()}
        found = high_rate(recent, WEEK)
        assert found is not None
        assert decayed(days, 0.89) <= found <= decayed(days, 0.985)


def test_days_outside_the_window_are_not_asked_for():
    week, day, hours = (offered_over_days(Scope(window=window)) for window in (WEEK, DAY, timedelta(hours=6)))

    assert "offset 168h" in week
    assert "offset" not in day
    assert "[24h]" not in hours
    assert '"0"' not in hours
