"""What the decision test's own yardsticks say: picks by measured values, by repeats, in finer tables.

Covered: the published rows. Not covered: whether the model's own picks are good (test_fit.py).
"""

import random

import pytest

from accuracy.ceiling import Cause, losses, measured, measured_again, refined
from accuracy.decisions import Choice, Decisions, Figures, Margins, choices, decide
from accuracy.errors import predict

NO_MARGINS = Margins(1.0, 1.0)


@pytest.fixture(scope="module")
def among(published) -> list[Choice]:
    return choices(predict(published))


def choice(concurrency: float, measured: Figures, believed: Figures) -> Choice:
    return Choice(
        name=f"{concurrency:g} clients",
        group="a group",
        ranks=1,
        concurrency=concurrency,
        measured=measured,
        believed=believed,
    )


def test_who_believes_what_was_measured_and_takes_no_margin_always_picks_the_best(among):
    found = Decisions.of(list(decide(measured(among), NO_MARGINS)))
    assert (found.kept, found.share_of_best) == (1.0, 1.0)


def test_who_believes_what_was_measured_loses_to_the_margins_alone(among):
    causes = {one.cause for one in losses(list(decide(measured(among))))}
    assert causes == {Cause.TTFT_MARGIN, Cause.INTER_TOKEN_MARGIN}


def test_what_the_causes_cost_is_what_decisions_lose(among):
    decided = list(decide(among))
    kept = [one for one in decided if one.kept]
    lost = sum(one.decision.lost for one in losses(decided)) / len(kept)
    assert lost == pytest.approx(1.0 - Decisions.of(decided).share_of_best)


def test_repeats_scatter_about_what_was_measured(among):
    again = measured_again(among, random.Random(0))
    ratios = [one.believed.ttft / one.measured.ttft for one in again]
    assert 0.85 < min(ratios) < 0.95
    assert 1.05 < max(ratios) < 1.15


def test_a_finer_table_holds_the_measured_rows_and_others_between_them():
    slow, fast = Figures(0.4, 0.02, 400.0), Figures(0.1, 0.01, 100.0)
    table = refined([choice(8, fast, fast), choice(16, slow, slow)], 2)
    assert [one.concurrency for one in table] == pytest.approx([8, 16, 8 * 2**0.5])
    assert table[-1].measured == table[-1].believed == pytest.approx((0.2, 0.02**0.5 * 0.01**0.5, 200.0))


@pytest.mark.parametrize(
    ("measured_as", "believed_as", "cause"),
    [
        (Figures(0.19, 0.005, 2.0), Figures(0.19, 0.005, 2.0), Cause.TTFT_MARGIN),
        (Figures(0.10, 0.0119, 2.0), Figures(0.10, 0.0119, 2.0), Cause.INTER_TOKEN_MARGIN),
        (Figures(0.19, 0.0119, 2.0), Figures(0.19, 0.0119, 2.0), Cause.BOTH_MARGINS),
        (Figures(0.10, 0.005, 2.0), Figures(0.19, 0.005, 2.0), Cause.PREDICTED_TTFT),
        (Figures(0.10, 0.005, 2.0), Figures(0.10, 0.0119, 2.0), Cause.PREDICTED_INTER_TOKEN),
        (Figures(0.10, 0.005, 2.0), Figures(0.10, 0.005, 0.5), Cause.ORDER),
    ],
)
def test_a_loss_has_the_cause_that_kept_the_best_from_being_picked(measured_as, believed_as, cause):
    small = Figures(0.05, 0.004, 1.0)
    decided = list(decide([choice(1, small, small), choice(2, measured_as, believed_as)]))
    strictest = next(one for one in losses(decided) if (one.decision.ttft, one.decision.inter_token) == (0.2, 0.012))
    assert strictest.cause is cause
    assert strictest.decision.lost == pytest.approx(0.5)
