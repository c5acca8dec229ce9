"""What a bucket can say about an objective: yes, no, or that it is too wide.

Covered: every position of an objective beside a bucket, several variants.  Not covered: where buckets come from.
"""

from datetime import timedelta
from math import inf

import pytest

from costpolicy.api.reasons import Reason
from costpolicy.observe.latency import Histogram, Tail, histogram
from costpolicy.observe.source import Missing


@pytest.mark.parametrize(
    ("tail", "objective", "kept"),
    [
        (Tail(value=0.6, lower=0.5, upper=0.75), 0.75, True),
        (Tail(value=0.6, lower=0.5, upper=0.75), 2.0, True),
        (Tail(value=0.6, lower=0.5, upper=0.75), 0.5, False),
        (Tail(value=0.6, lower=0.5, upper=0.75), 0.1, False),
        (Tail(value=0.6, lower=0.5, upper=0.75), 0.7, None),
        (Tail(value=0.6, lower=0.5, upper=0.75), 0.55, None),
        # A bucket of 40 ms beside an objective of half a second is fine enough to interpolate in.
        (Tail(value=0.49, lower=0.48, upper=0.52), 0.5, True),
        (Tail(value=0.51, lower=0.48, upper=0.52), 0.5, False),
        # The open bucket: somewhere above 80 s.
        (Tail(value=80, lower=80, upper=80), 80, False),
        (Tail(value=80, lower=80, upper=80), 1, False),
        (Tail(value=80, lower=80, upper=80), 100, None),
    ],
)
def test_a_bucket_answers_where_it_can(tail: Tail, objective: float, kept: bool | None) -> None:
    answer = tail.keeps(timedelta(seconds=objective))
    if kept is None:
        assert isinstance(answer, Missing)
        assert Reason.RESOLUTION_TOO_COARSE == answer.reason
        assert "--custom-histogram-buckets" in answer.message
    else:
        assert kept is answer


@pytest.mark.parametrize("counts", [{}, {"0.5": 3.0}, {"0.5": 0.0, "+Inf": 0.0}])
def test_no_requests_have_no_histogram(counts: dict[str, float]) -> None:
    assert histogram(counts) is None


def test_buckets_are_ordered_by_bound_and_smoothed() -> None:
    # As Prometheus does: a rounding error in a rate must not make a cumulative count fall.
    assert Histogram(bounds=(0.5, 2.0, 10.0, inf), cumulative=(1.0, 3.0, 3.0, 4.0)) == histogram(
        {"10.0": 2.9999, "+Inf": 4.0, "0.5": 1.0, "2.0": 3.0}
    )


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.25, Tail(value=0.5, lower=0.0, upper=0.5)),
        (0.5, Tail(value=1.25, lower=0.5, upper=2.0)),
        (0.75, Tail(value=2.0, lower=0.5, upper=2.0)),
        (0.95, Tail(value=10.0, lower=10.0, upper=10.0)),
    ],
)
def test_a_quantile_is_interpolated_in_its_bucket(share: float, expected: Tail) -> None:
    found = histogram({"0.5": 1.0, "2.0": 3.0, "10.0": 3.0, "+Inf": 4.0})
    assert found is not None
    assert expected == found.quantile(share)
