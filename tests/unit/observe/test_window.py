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


@pytest.mark.parametrize(
    "figure", sorted(set(WindowFigure) - {WindowFigure.PREFIX_HIT_RATIO, WindowFigure.INTER_TOKEN})
)
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
