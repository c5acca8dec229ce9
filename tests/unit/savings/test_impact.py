"""Impact: the three formulas on windows worked out by hand, what cannot be said, and how windows are read.

Covered: totals, hours, quality, null with reasons, wrong input by field, the command.
Not covered: interval and attribution (test_attribution).
"""

import io
import json
from fractions import Fraction
from pathlib import Path

import pytest

from costpolicy.cli.console import Console
from costpolicy.cli.main import main
from costpolicy.savings.impact import Impact, measure_impact
from costpolicy.savings.window import Window
from costpolicy.savings.windows import WindowError, parse_window
from costpolicy.units import Money


def window(cost: str, requests: int, prompt: int, output: int, quality: str | None = None) -> Window:
    return Window(
        total_cost=Money.parse(cost),
        requests=Fraction(requests),
        prompt_tokens=Fraction(prompt),
        output_tokens=Fraction(output),
        quality=None if quality is None else Fraction(quality),
    )


def test_half_the_cost_per_request_doubles_the_tokens_per_dollar() -> None:
    impact = measure_impact(
        window("1008", 100_000, 80_000_000, 20_000_000), window("504", 100_000, 80_000_000, 20_000_000)
    )
    assert Fraction(1, 2) == impact.cost_reduction
    assert Fraction(1) == impact.efficiency_improvement


def test_more_traffic_at_the_same_cost_is_a_reduction_per_request() -> None:
    # 10 / 100 before, 12 / 160 after: 0.075 of 0.1.  Tokens per dollar: 100 before, 1,600 / 12 after.
    impact = measure_impact(window("10", 100, 800, 200), window("12", 160, 1280, 320))
    assert Fraction(1, 4) == impact.cost_reduction
    assert Fraction(1, 3) == impact.efficiency_improvement


def test_a_change_that_cost_money_is_negative() -> None:
    impact = measure_impact(window("10", 100, 800, 200), window("15", 100, 800, 200))
    assert Fraction(-1, 2) == impact.cost_reduction
    assert Fraction(-1, 3) == impact.efficiency_improvement


def test_nothing_changed_is_exactly_zero() -> None:
    same = window("0.333333", 7, 11, 13, "0.8")
    assert Impact(
        cost_reduction=Fraction(0),
        efficiency_improvement=Fraction(0),
        quality_maintained=True,
        reason="interval and attribution need hours in both windows",
    ) == measure_impact(same, same)


@pytest.mark.parametrize(
    ("baseline", "current", "kept"),
    [
        ("0.8", "0.784", True),
        ("0.8", "0.783999", False),
        ("0.8", "0.9", True),
        (None, "0.9", None),
        ("0.8", None, None),
    ],
)
def test_quality_is_kept_up_to_a_loss_of_two_percent_of_the_baseline(
    baseline: str | None, current: str | None, kept: bool | None
) -> None:
    impact = measure_impact(window("1", 1, 1, 1, baseline), window("1", 1, 1, 1, current))
    assert kept is impact.quality_maintained
    assert (kept is None) == ("quality was not evaluated" in impact.reason)


@pytest.mark.parametrize(
    ("baseline", "current", "reduction", "improvement", "reason"),
    [
        (window("1", 0, 0, 0), window("1", 9, 9, 9), None, None, "no requests in the baseline window"),
        (window("1", 9, 9, 9), window("1", 0, 0, 0), None, Fraction(-1), "no requests in the current window"),
        (window("0", 9, 9, 9), window("1", 9, 9, 9), None, None, "the baseline cost nothing"),
        (window("1", 9, 9, 9), window("0", 9, 9, 9), Fraction(1), None, "the current window cost nothing"),
        (window("1", 9, 0, 0), window("1", 9, 9, 9), Fraction(0), None, "no tokens in the baseline window"),
    ],
)
def test_says_nothing_where_nothing_can_be_said(
    baseline: Window, current: Window, reduction: Fraction | None, improvement: Fraction | None, reason: str
) -> None:
    impact = measure_impact(baseline, current)
    assert reduction == impact.cost_reduction
    assert improvement == impact.efficiency_improvement
    assert reason in impact.reason


def test_hours_are_added_up_and_their_quality_weighed_by_requests() -> None:
    hours = [
        {"totalCost": "1.10", "requests": 10, "promptTokens": 100, "outputTokens": 50, "quality": 0.9},
        {"totalCost": "2.20", "requests": 30, "promptTokens": 300.5, "outputTokens": 150, "quality": 0.7},
        {"totalCost": "0", "requests": 0, "promptTokens": 0, "outputTokens": 0},
    ]
    read = parse_window(json.dumps({"hours": hours}))

    assert (
        Window(
            total_cost=Money.parse("3.30"),
            requests=Fraction(40),
            prompt_tokens=Fraction("400.5"),
            output_tokens=Fraction(200),
            quality=Fraction(3, 4),
            hours=tuple(parse_window(json.dumps(hour)) for hour in hours),
        )
        == read
    )


GOOD = {"totalCost": "1", "requests": 1, "promptTokens": 1, "outputTokens": 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "a window is a JSON object"),
        ("{}", "totalCost is missing"),
        (json.dumps({**GOOD, "total": 1}), "total is unknown"),
        (json.dumps({**GOOD, "totalCost": "-1"}), "totalCost: '-1' is not an amount of money"),
        (json.dumps({**GOOD, "totalCost": -1}), "totalCost must be a number of at least 0"),
        (json.dumps({**GOOD, "requests": "7"}), "requests must be a number"),
        (json.dumps({**GOOD, "requests": True}), "requests must be a number"),
        (json.dumps({**GOOD, "requests": float("nan")}), "NaN is not a number"),
        (json.dumps({**GOOD, "quality": -0.1}), "quality must be a number"),
        (json.dumps({**GOOD, "hours": []}), "either hours or totals"),
        (json.dumps({"hours": []}), "at least one"),
        (json.dumps({"hours": [GOOD, {**GOOD, "requests": -1}]}), "hours[1].requests must be"),
        (json.dumps({"hours": [3]}), "hours[0] is not a JSON object"),
    ],
)
def test_refuses_what_is_not_a_window_and_names_the_field(text: str, found: str) -> None:
    with pytest.raises(WindowError) as raised:
        parse_window(text)
    assert found in str(raised.value)


def run(tmp_path: Path, baseline: object, current: object, *more: str) -> tuple[int, str, str]:
    paths = []
    for name, document in (("baseline", baseline), ("current", current)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        paths += [f"--{name}", str(path)]
    out, err = io.StringIO(), io.StringIO()
    code = main(["impact", *paths, *more], Console(out=out, err=err))
    return code, out.getvalue(), err.getvalue()


def test_the_command_answers_json_and_nothing_else(tmp_path: Path) -> None:
    before = {"totalCost": "10", "requests": 100, "promptTokens": 800, "outputTokens": 200, "quality": 0.8}
    code, out, err = run(tmp_path, before, {**before, "totalCost": "8"}, "-o", "json")
    assert (code, err) == (0, "")
    assert {
        "costReduction": pytest.approx(0.2),
        "efficiencyImprovement": pytest.approx(0.25),
        "qualityMaintained": True,
        "interval": None,
        "attribution": None,
        "reason": "interval and attribution need hours in both windows",
    } == json.loads(out)


def test_the_command_tells_the_change_from_the_prices_of_hours(tmp_path: Path) -> None:
    def week(cost: str, **more: str) -> dict[str, object]:
        hour = {"totalCost": cost, "requests": 100, "promptTokens": 80_000, "outputTokens": 20_000, "quality": 0.8}
        return {"hours": [{**hour, **more} for _ in range(168)]}

    code, out, err = run(tmp_path, week("10"), week("6", costAtBaselinePrices="8"), "-o", "json")
    found = json.loads(out)

    assert (code, err, found["reason"]) == (0, "", "")
    assert found["interval"] == {
        "low": pytest.approx(0.2, abs=1e-3),
        "high": pytest.approx(0.2, abs=1e-3),
        "level": 0.95,
    }
    assert found["attribution"] == {
        "change": pytest.approx(0.2, abs=1e-3),
        "traffic": pytest.approx(0.0, abs=1e-3),
        "price": pytest.approx(0.2),
        "unexplained": pytest.approx(0.0, abs=1e-3),
    }
    assert (
        "Saved by the change     +20.0% to +20.0% (95%)"
        in run(tmp_path, week("10"), week("6", costAtBaselinePrices="8"))[1]
    )


def test_the_command_shows_a_table(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, GOOD, {**GOOD, "totalCost": "0.5"})
    assert code == 0
    assert "Cost reduction          +50.0%" in out
    assert "quality was not evaluated" in out


def test_the_command_exits_with_2_on_wrong_input(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, GOOD, {**GOOD, "requests": -1}, "-o", "json")
    assert (code, out) == (2, "")
    assert "current.json: requests must be a number of at least 0" in err
