"""Recorded hours as windows.

Covered: what makes a window complete.  Not covered: how hours are recorded and read (tests/contract/observe).
"""

from datetime import UTC, datetime, timedelta

import pytest

from costpolicy.observe.source import Sample
from costpolicy.observe.window import WindowFigure, load_windows

AT = datetime(2026, 11, 2, 5, tzinfo=UTC)
HOUR = {
    WindowFigure.REQUESTS: 7200.0,
    WindowFigure.ENGINES: 2.0,
    WindowFigure.PROMPT_TOKENS: 1000.0,
    WindowFigure.OUTPUT_TOKENS: 250.0,
    WindowFigure.PREFIX_HIT_RATIO: 0.4,
    WindowFigure.TTFT: 0.5,
    WindowFigure.INTER_TOKEN: 0.02,
}


PROPOSED = {
    WindowFigure.DECODE_STEPS: 1e6,
    WindowFigure.PROPOSED_TOKENS: 3e6,
    WindowFigure.ACCEPTED_TOKENS: 1.2e6,
}


def samples(figures: dict[WindowFigure, float], at: datetime = AT) -> list[Sample]:
    return [Sample(labels={"figure": figure}, value=value, timestamp=at) for figure, value in figures.items()]


def test_a_window_has_the_load_of_one_engine():
    (window,) = load_windows(samples(HOUR))

    assert (AT, 7200, 1.0) == (window.until, window.requests, window.requests_per_second)
    assert 400.0 == window.cached_tokens


def test_windows_are_in_order_of_time():
    later = AT + timedelta(hours=5)
    found = load_windows([*samples(HOUR, later), *samples(HOUR)])

    assert [AT, later] == [window.until for window in found]


@pytest.mark.parametrize("figure", sorted(set(HOUR) - {WindowFigure.PREFIX_HIT_RATIO, WindowFigure.INTER_TOKEN}))
def test_a_window_without_what_a_prediction_needs_is_none(figure: WindowFigure):
    assert () == load_windows(samples({name: value for name, value in HOUR.items() if name != figure}))
    assert () == load_windows(samples({**HOUR, figure: 0.0}))


def test_without_a_prefix_cache_nothing_is_cached_and_answers_of_one_token_have_no_inter_token_latency():
    sparse = {
        name: value
        for name, value in HOUR.items()
        if name not in (WindowFigure.PREFIX_HIT_RATIO, WindowFigure.INTER_TOKEN)
    }
    (window,) = load_windows(samples(sparse))

    assert 0.0 == window.cached_tokens
    assert window.inter_token is None


def proposed(figures: dict[WindowFigure, float], proposer: str = "eagle:3:example/head") -> list[Sample]:
    return [
        Sample(labels={"figure": figure, "proposer": proposer}, value=value, timestamp=AT)
        for figure, value in figures.items()
    ]


def test_an_hour_with_proposals_says_who_made_them_and_what_was_accepted():
    (window,) = load_windows([*samples(HOUR), *proposed(PROPOSED)])
    (plain,) = load_windows(samples(HOUR))

    assert window.speculated == ("eagle:3:example/head", 1e6, 3e6, 1.2e6)
    assert plain.speculated is None


@pytest.mark.parametrize("missing", [WindowFigure.DECODE_STEPS, WindowFigure.ACCEPTED_TOKENS])
def test_an_hour_of_a_proposer_that_the_engine_says_nothing_of_is_an_hour_all_the_same(missing: WindowFigure):
    known = {figure: value for figure, value in PROPOSED.items() if figure is not missing}
    (window,) = load_windows([*samples(HOUR), *proposed(known)])

    assert (7200, None) == (window.requests, window.speculated)


def test_proposals_of_which_none_was_accepted_are_told_from_those_of_which_nothing_is_known():
    (window,) = load_windows([*samples(HOUR), *proposed({**PROPOSED, WindowFigure.ACCEPTED_TOKENS: 0.0})])

    assert window.speculated is not None
    assert 0.0 == window.speculated.accepted
