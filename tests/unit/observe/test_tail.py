"""What a bucket can say about an objective: yes, no, or that it is too wide.

Covered: every position of an objective beside a bucket, several variants.  Not covered: where buckets come from.
"""

from datetime import timedelta

import pytest

from costpolicy.api.reasons import Reason
from costpolicy.observe.latency import Tail
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
