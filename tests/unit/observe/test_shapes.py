"""What requests were like over days.

Covered: long nights count for days, each figure by itself, a figure that is not recorded, cached tokens that cannot be negative.
Not covered: how hours are recorded and asked for (tests/contract/observe); what is planned for it (tests/unit/reconcile/test_demand.py).
"""

from datetime import UTC, datetime, timedelta

from costpolicy.observe.days import RECENT, WEEK, Stretch
from costpolicy.observe.shapes import RequestShape, ShapeFigure, high_shape
from costpolicy.observe.source import Sample

AT = datetime(2026, 11, 29, tzinfo=UTC)


def sample(figure: ShapeFigure, stretch: Stretch, value: float) -> Sample:
    return Sample(labels={"figure": figure, "stretch": stretch}, value=value, timestamp=AT)


def samples(**figures: dict[Stretch, float]) -> list[Sample]:
    return [sample(ShapeFigure(name), stretch, value) for name, by in figures.items() for stretch, value in by.items()]


def alike(value: float, *stretches: Stretch) -> dict[Stretch, float]:
    return dict.fromkeys(stretches or tuple(RECENT), value)


def test_a_long_night_counts_after_a_short_day():
    prompts = alike(500.0) | {Stretch.YESTERDAY: 4000.0}
    found = high_shape(samples(prompt_tokens=prompts, computed_tokens=prompts, output_tokens=alike(250.0)), WEEK)

    assert RequestShape(prompt_tokens=4000.0, computed_tokens=4000.0, output_tokens=250.0) == found


def test_the_longest_prompts_and_the_longest_answers_need_not_be_of_the_same_hours():
    prompts, outputs = alike(500.0) | {Stretch.TODAY: 900.0}, alike(20.0) | {Stretch.TWO_DAYS_AGO: 700.0}
    found = high_shape(samples(prompt_tokens=prompts, computed_tokens=alike(100.0), output_tokens=outputs), WEEK)

    assert RequestShape(prompt_tokens=900.0, computed_tokens=100.0, output_tokens=700.0) == found


def test_within_the_first_day_the_longest_hour_counts():
    most = {Stretch.MOST: 3000.0, Stretch.ALL: 600.0}
    found = high_shape(samples(prompt_tokens=most, computed_tokens=most, output_tokens=most), timedelta(hours=5))

    assert found is not None
    assert 3000.0 == found.prompt_tokens


def test_without_one_of_its_figures_no_shape_is_known():
    assert high_shape([], WEEK) is None
    assert high_shape(samples(prompt_tokens=alike(500.0), output_tokens=alike(250.0)), WEEK) is None
    assert (
        high_shape(samples(prompt_tokens=alike(0.0), computed_tokens=alike(0.0), output_tokens=alike(0.0)), WEEK)
        is None
    )


def test_no_more_is_computed_than_there_is():
    found = high_shape(
        samples(prompt_tokens=alike(500.0), computed_tokens=alike(501.0), output_tokens=alike(250.0)), WEEK
    )

    assert found is not None
    assert 500.0 == found.computed_tokens


def test_rates_of_the_same_answer_are_no_figures_of_a_shape():
    rate = Sample(labels={"stretch": Stretch.TODAY}, value=40.0, timestamp=AT)

    assert high_shape([rate], WEEK) is None
