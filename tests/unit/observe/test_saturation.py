"""What saturated engines served, from samples.  Not covered: how it is recorded and asked (tests/contract/observe)."""

from datetime import UTC, datetime

import pytest

from costpolicy.observe.saturation import SaturationFigure, saturations
from costpolicy.observe.source import Sample

AT = datetime(2026, 11, 2, 5, tzinfo=UTC)
SEEN = {
    SaturationFigure.MINUTES: 12.0,
    SaturationFigure.REQUESTS: 4.0,
    SaturationFigure.PROMPT_TOKENS: 1000.0,
    SaturationFigure.OUTPUT_TOKENS: 250.0,
    SaturationFigure.PREFIX_HIT_RATIO: 0.4,
}


def samples(figures: dict[SaturationFigure, float], kernels: str = "one") -> list[Sample]:
    return [
        Sample(labels={"figure": figure, "kernels": kernels}, value=value, timestamp=AT)
        for figure, value in figures.items()
    ]


def test_engines_with_other_kernels_are_kept_apart():
    found = saturations([*samples(SEEN), *samples(SEEN | {SaturationFigure.REQUESTS: 9.0}, "two")])

    assert {"one": 4.0, "two": 9.0} == {kernels: each.requests_per_second for kernels, each in found.items()}
    assert (12.0, 1000.0, 250.0, 400.0) == (
        found["one"].minutes,
        found["one"].prompt_tokens,
        found["one"].output_tokens,
        found["one"].cached_tokens,
    )


@pytest.mark.parametrize("figure", [each for each in SEEN if each is not SaturationFigure.PREFIX_HIT_RATIO])
def test_without_what_a_prediction_needs_nothing_was_seen(figure: SaturationFigure):
    absent = {name: value for name, value in SEEN.items() if name is not figure}

    assert {} == saturations(samples(absent))
    assert {} == saturations(samples(absent | {figure: 0.0}))


def test_without_a_prefix_cache_no_token_was_cached():
    absent = {name: value for name, value in SEEN.items() if name is not SaturationFigure.PREFIX_HIT_RATIO}

    assert 0.0 == saturations(samples(absent))["one"].cached_tokens
