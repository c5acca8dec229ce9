"""The result that a Job leaves: as short as a termination message must be, and read back whole."""

import pytest

from costpolicy.api.types import JudgeType
from costpolicy.quality.pairs import PairedCounts
from costpolicy.quality.result import MOST_BYTES, Arm, EvaluationResult, ResultError, parse_result

COUNT = 10**9
ARM = Arm(truncated=COUNT, refused=COUNT, prompt_tokens=10**15, output_tokens=10**15)
LARGEST = EvaluationResult(
    prompts_digest="0123456789ab",
    judge=JudgeType.CONTAINS,
    both_right=COUNT,
    lost=COUNT,
    gained=COUNT,
    both_wrong=COUNT,
    identical=COUNT,
    ungraded=COUNT,
    baseline=ARM,
    canary=ARM,
)


def test_the_largest_result_fits_a_termination_message_and_is_read_back():
    line = LARGEST.line()

    assert len(line.encode()) < MOST_BYTES / 4
    assert "\n" not in line
    assert LARGEST == parse_result(line)


def test_a_later_releases_result_can_be_read():
    assert LARGEST == parse_result(LARGEST.line()[:-1] + ',"seconds":12}')


@pytest.mark.parametrize(
    "text", ["", "Killed", "{}", LARGEST.line().replace('"lost":1000000000', '"lost":-1'), LARGEST.line()[:200]]
)
def test_anything_else_is_no_result(text: str):
    with pytest.raises(ResultError, match="not the result of an evaluation"):
        parse_result(text)


def test_pairs_are_counted():
    pairs = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    counts = PairedCounts.of(pairs)

    assert PairedCounts(both_right=1, lost=2, gained=1, both_wrong=1) == counts
    assert (5, 0.6, 0.4, 0.2) == (
        counts.pairs,
        float(counts.baseline_score),
        float(counts.canary_score),
        float(counts.loss),
    )
    assert 4 / 6 == counts.expected_discordance
