"""What hours of traffic say of a proposer.

Covered: the acceptance that was put in is found, evidence, doubt, order, proposers that find nothing.  Not covered: where the
hours come from (tests/contract/observe), what a plan makes of it (tests/unit/reconcile/test_acceptance.py).
"""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from costpolicy.perf.acceptance import (
    MIN_STEPS,
    ObservedAcceptance,
    SpeculatedHour,
    acceptance_of,
    observed_acceptance,
)
from costpolicy.perf.speculation import ACCEPTANCES, Speculation

START = datetime(2026, 11, 2, tzinfo=UTC)
EAGLE = ACCEPTANCES["eagle"]
TOKENS = 3


def hours(*acceptances: float, steps: float = 1e6, gap: timedelta = timedelta(hours=7)) -> list[SpeculatedHour]:
    """Hours in which proposed tokens were accepted so often."""
    return [
        SpeculatedHour(
            until=START + index * gap,
            steps=steps,
            proposed=TOKENS * steps,
            accepted=steps * (Speculation(tokens=TOKENS, acceptance=each).tokens_per_step - 1.0),
        )
        for index, each in enumerate(acceptances)
    ]


def seen(*acceptances: float, **fields: float) -> ObservedAcceptance:
    found = observed_acceptance(EAGLE, TOKENS, hours(*acceptances, **fields))
    assert found is not None
    return found


@pytest.mark.parametrize("acceptance", [0.0, 0.02, 0.44, 0.9, 1.0])
@pytest.mark.parametrize("tokens", [1, 3, 8])
def test_the_acceptance_that_yields_so_many_tokens_is_found(acceptance: float, tokens: int):
    accepted = Speculation(tokens=tokens, acceptance=acceptance).tokens_per_step - 1.0

    assert acceptance == pytest.approx(acceptance_of(accepted, tokens), abs=2e-6)


def test_the_rate_of_single_draws_is_found():
    random = Random(7)
    accepted = 0
    for _ in range(20_000):
        for _ in range(TOKENS):
            if random.random() >= 0.6:
                break
            accepted += 1

    assert 0.6 == pytest.approx(acceptance_of(accepted / 20_000, TOKENS), abs=0.01)


def test_traffic_as_the_slowest_text_that_was_published_comes_to_what_was_published_of_its_slowest_requests():
    found = seen(*[EAGLE.lowest] * 24)

    assert EAGLE.cautious - 0.02 <= found.counted <= EAGLE.cautious
    assert EAGLE.lowest == pytest.approx(found.mean, abs=1e-4)


def test_more_is_counted_on_where_more_is_accepted_and_less_where_less_is():
    counted = [seen(*[each] * 24).counted for each in (0.0, 0.2, 0.4, 0.6, 0.8)]

    assert sorted(set(counted)) == counted
    assert 0.0 == counted[0]
    assert all(one < mean for one, mean in zip(counted[1:], (0.2, 0.4, 0.6, 0.8), strict=True))


def test_few_hours_and_hours_that_differ_are_trusted_less():
    steady, few, varied = seen(*[0.6] * 24), seen(0.6), seen(*[0.4, 0.8] * 12)

    assert few.lowest < steady.lowest
    assert varied.lowest < steady.lowest
    assert steady.mean == pytest.approx(varied.mean)


def test_hours_with_too_few_steps_say_nothing():
    assert observed_acceptance(EAGLE, TOKENS, hours(0.6, 0.6, steps=MIN_STEPS - 1)) is None
    assert observed_acceptance(EAGLE, TOKENS, []) is None
    assert 1 == seen(0.6, steps=MIN_STEPS).hours


def test_the_order_of_hours_does_not_matter():
    given = hours(0.3, 0.7, 0.5)

    assert observed_acceptance(EAGLE, TOKENS, given) == observed_acceptance(EAGLE, TOKENS, reversed(given))


def test_a_proposer_that_finds_nothing_yields_nothing():
    silent = SpeculatedHour(until=START, steps=1e6, proposed=0.0, accepted=0.0)
    found = observed_acceptance(ACCEPTANCES["ngram"], TOKENS, [silent])

    assert found is not None
    assert (0.0, 0.0, 1.0) == (found.counted, found.accepted_share, found.tokens_per_step)
