"""The chart's alert rules, by promtool: each fires on what it is for, and is silent on a twin that is equal but for that.

Covered: every alert, two clusters, a scrape without ``honorLabels``, what an unusual hour is and what is not.  Not covered: that
the operator exports what they read (tests/unit/reconcile/test_policy_exports.py,
routes/test_exports.py), delivery by an Alertmanager.
"""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.observe.promtool import line
from costpolicy.observe.alerts import ALERTS, render
from costpolicy.observe.exported import Recorded
from costpolicy.observe.rules import rule_file

POLICY = 'namespace="demo",policy="chat"'
ALIVE = [line("costpolicy_build_info", 'version="0.1.0"', "1x720"), line("costpolicy_leader", "", "1x720")]
ORDER = ["recorded", "costpolicy-alerts"]
"""promtool takes groups in any order; what was recorded a quarter of an hour ago would be too old for an alert to see."""
SAID = ("alertname", "cluster", "namespace", "policy", "reason", "route", "proof", "verdict", "step")
DAY = 24
NOON, MIDNIGHT = 12, 24


def rules(interval: str) -> dict[str, Any]:
    """The alerts, and what they need of the recording rules."""
    [alerts] = yaml.safe_load(render())["groups"]
    wanted = (Recorded.POLICY_COST, Recorded.USUAL_COST)
    recorded = [each for group in rule_file()["groups"] for each in group["rules"] if each["record"] in wanted]
    groups = [{"name": "recorded", "rules": recorded}, {**alerts, "rules": alerts["rules"]}]
    return {"groups": [{**group, "interval": interval} for group in groups]}


def fired(series: list[dict[str, str]], at: str, folder: Path, interval: str = "1m") -> list[str]:
    """Return which alerts are firing, as ``name namespace policy reason``, or with route, proof, verdict or step; in order."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules(interval)))
    firing = f'count by ({", ".join(SAID)}) (ALERTS{{alertstate="firing"}})'
    test = {"expr": firing, "eval_time": at, "exp_samples": []}
    document = {"interval": interval, "input_series": series, "promql_expr_test": [test]}
    path = folder / "test.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "rule_files": ["rules.yaml"],
                "group_eval_order": ORDER,
                "evaluation_interval": interval,
                "tests": [document],
            }
        )
    )
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)
    found = re.findall(r'\{[^{}]*alertname="[^{}]*\}', done.stdout + done.stderr)
    assert (done.returncode == 0) is (not found), done.stdout + done.stderr
    return sorted(map(_named, found))


def _named(labels: str) -> str:
    """Return an unexpected sample, which is how promtool says what it found, by the values of its labels."""
    values = dict(re.findall(r'(\w+)="([^"]*)"', labels))
    return " ".join(values[label] for label in SAID if label in values)


def unmet(condition: str, reason: str, values: str = "1x120", labels: str = POLICY) -> dict[str, str]:
    return line("costpolicy_unmet_condition", f'{labels},condition="{condition}",reason="{reason}"', values)


def test_all_is_silent_where_every_promise_is_kept(programs: dict[str, str], tmp_path: Path):
    assert [] == fired(ALIVE, "2h", tmp_path)


@pytest.mark.parametrize(
    ("condition", "reason", "says"),
    [
        ("WithinBudget", "OverBudget", "CostPolicyBudgetExceeded"),
        ("WithinBudget", "MonthlyBudgetSpent", "CostPolicyBudgetExceeded"),
        ("WithinBudget", "BudgetExceeded", "CostPolicyBudgetExceeded"),
        ("WithinBudget", "ForecastExceedsBudget", "CostPolicyForecastOverBudget"),
        ("ObjectivesMet", "ObjectiveMissed", "CostPolicyObjectiveMissed"),
        ("MetricsAvailable", "NoSamples", "CostPolicyMetricsMissing"),
        ("MetricsAvailable", "RulesMissing", "CostPolicyMetricsMissing"),
        ("MetricsAvailable", "PrometheusUnreachable", "CostPolicyMetricsMissing"),
    ],
)
def test_a_promise_that_is_not_kept_is_told_once_it_lasts(
    programs: dict[str, str], tmp_path: Path, condition: str, reason: str, says: str
):
    lasting = unmet(condition, reason)
    mended = unmet(condition, reason, "1x5 stale")

    assert [f"{says} demo chat {reason}"] == fired([*ALIVE, lasting], "2h", tmp_path)
    assert [] == fired([*ALIVE, mended], "2h", tmp_path)


@pytest.mark.parametrize("reason", ["NoTraffic", "ResolutionTooCoarse", "RetentionTooShort"])
def test_what_no_metric_can_be_expected_of_is_not_told(programs: dict[str, str], tmp_path: Path, reason: str):
    assert [] == fired([*ALIVE, unmet("MetricsAvailable", reason)], "2h", tmp_path)


def test_labels_that_prometheus_renamed_are_read_as_well(programs: dict[str, str], tmp_path: Path):
    renamed = 'exported_namespace="demo",namespace="costpolicy",policy="chat"'

    assert ["CostPolicyObjectiveMissed demo chat ObjectiveMissed"] == fired(
        [*ALIVE, unmet("ObjectivesMet", "ObjectiveMissed", labels=renamed)], "2h", tmp_path
    )


def test_an_operator_that_is_silent_for_ten_minutes_is_told_and_one_for_eight_is_not(
    programs: dict[str, str], tmp_path: Path
):
    gone = [line("costpolicy_build_info", 'version="0.1.0"', "1x60 stale")]

    assert ["CostPolicyOperatorSilent"] == fired(gone, "72m", tmp_path)
    assert [] == fired(gone, "68m", tmp_path)


def test_of_two_clusters_the_silent_one_is_named(programs: dict[str, str], tmp_path: Path):
    series = [
        line("costpolicy_build_info", 'version="0.1.0",cluster="a"', "1x60 stale"),
        line("costpolicy_build_info", 'version="0.1.0",cluster="b"', "1x120"),
    ]

    assert ["CostPolicyOperatorSilent a"] == fired(series, "72m", tmp_path)


def test_operators_of_which_none_leads_are_told_and_a_change_of_the_leader_is_not(
    programs: dict[str, str], tmp_path: Path
):
    alive = line("costpolicy_build_info", 'version="0.1.0"', "1x120")
    nobody = [line("costpolicy_leader", f'pod="{pod}"', "1x60 0x60") for pod in "ab"]
    changed = [line("costpolicy_leader", 'pod="a"', "1x60 0x60"), line("costpolicy_leader", 'pod="b"', "0x63 1x56")]

    assert ["CostPolicyNobodyLeads"] == fired([alive, *nobody], "80m", tmp_path)
    assert [] == fired([alive, *changed], "80m", tmp_path)


def history(
    cost: Callable[[int], float], hours: int, known: Callable[[int], bool] = lambda _: True
) -> list[dict[str, str]]:
    """The ledger of so many hours: what each cost (0: nothing was held), and whether an operator was scraped."""
    spans = range(hours + 1)
    costs = " ".join(f"{cost(hour)}x3" if known(hour) and cost(hour) else "_x4" for hour in spans)
    seen = " ".join("1x3" if known(hour) else "0x3" for hour in spans)
    held = f'{POLICY},variant="aaa",accelerator="nvidia-l40s",capacity_type="OnDemand",state="ready",currency="USD"'
    samples = 4 * (hours + 1)
    return [
        line(Recorded.LEDGER, f'{held},figure="cost"', costs),
        line(Recorded.OPERATORS_SEEN, "", seen),
        line("costpolicy_build_info", 'version="0.1.0"', f"1x{samples}"),
        line("costpolicy_leader", "", f"1x{samples}"),
    ]


def unusual(series: list[dict[str, str]], hour: int, folder: Path) -> bool:
    """Return whether the hour is told as unusual, in its last minutes; nothing else may be told."""
    told = fired(series, f"{60 * hour + 45}m", folder, "15m")
    assert told in ([], ["CostPolicySpendAnomaly demo chat"])
    return bool(told)


@pytest.mark.parametrize(("today", "told"), [(4.0, True), (2.6, False)])
def test_twice_what_an_hour_usually_costs_is_told_and_a_little_more_is_not(
    programs: dict[str, str], tmp_path: Path, today: float, told: bool
):
    series = history(lambda hour: today if hour >= 8 * DAY else 2.0, 8 * DAY + NOON)

    assert told == unusual(series, 8 * DAY + NOON, tmp_path)


@pytest.mark.parametrize("switched_off", [True, False])
def test_a_night_that_did_not_switch_off_is_told(programs: dict[str, str], tmp_path: Path, switched_off: bool):
    def cost(hour: int) -> float:
        night = hour % DAY < 6
        return 0.0 if night and (switched_off or hour < 8 * DAY) else 2.0

    assert unusual(history(cost, 8 * DAY + 3), 8 * DAY + 3, tmp_path) is not switched_off


@pytest.mark.parametrize("every_week", [True, False])
def test_a_weekday_that_is_dearer_every_week_is_not_told(programs: dict[str, str], tmp_path: Path, every_week: bool):
    def cost(hour: int) -> float:
        day = hour // DAY
        return 6.0 if day == 8 or (day == 1 and every_week) else 2.0

    assert unusual(history(cost, 8 * DAY + NOON), 8 * DAY + NOON, tmp_path) is not every_week


@pytest.mark.parametrize(("today", "told"), [(2.0, False), (4.0, True)])
def test_one_odd_day_neither_tells_nor_hides(programs: dict[str, str], tmp_path: Path, today: float, told: bool):
    def cost(hour: int) -> float:
        return {7: 40.0, 8: today}.get(hour // DAY, 2.0)

    assert told == unusual(history(cost, 8 * DAY + NOON), 8 * DAY + NOON, tmp_path)


@pytest.mark.parametrize(("made_on_day", "told"), [(6, False), (0, True)])
def test_a_policy_of_less_than_a_week_has_no_usual_cost(
    programs: dict[str, str], tmp_path: Path, made_on_day: int, told: bool
):
    def cost(hour: int) -> float:
        day = hour // DAY
        return 0.0 if day < made_on_day else 4.0 if day == 8 else 2.0

    assert told == unusual(history(cost, 8 * DAY + NOON), 8 * DAY + NOON, tmp_path)


@pytest.mark.parametrize(("unknown_days", "told"), [((2, 3, 4), True), ((2, 3, 4, 5), False)])
def test_days_that_are_not_known_are_not_days_that_cost_nothing(
    programs: dict[str, str], tmp_path: Path, unknown_days: tuple[int, ...], told: bool
):
    series = history(
        lambda hour: 4.0 if hour >= 8 * DAY else 2.0, 8 * DAY + NOON, lambda hour: hour // DAY not in unknown_days
    )

    assert told == unusual(series, 8 * DAY + NOON, tmp_path)


def proof(verdict: str, values: str, of: str = "compression", labels: str = 'namespace="shop"') -> dict[str, str]:
    return line("costpolicy_route_proof", f'{labels},route="chat",proof="{of}",verdict="{verdict}"', values)


@pytest.mark.parametrize("of", ["compression", "tier/small"])
def test_a_proof_that_was_in_force_and_is_no_more_is_told_and_one_that_never_was_is_not(
    programs: dict[str, str], tmp_path: Path, of: str
):
    held, ended = proof("Proven", "1x60 stale", of), proof("TrafficDrifted", "_x60 1x60", of)
    never = proof("TrafficDrifted", "1x120", of)

    assert [f"CostPolicyRouteProofLost shop chat {of} TrafficDrifted"] == fired([*ALIVE, held, ended], "2h", tmp_path)
    assert [] == fired([*ALIVE, never], "2h", tmp_path)


def test_a_proof_that_is_back_within_half_an_hour_is_not_told_nor_is_that_of_another_route(
    programs: dict[str, str], tmp_path: Path
):
    back = [proof("Proven", "1x60 stale _x20 1x40"), proof("TrafficDrifted", "_x60 1x20 stale")]
    elsewhere = [proof("Proven", "1x120", labels='namespace="lab"'), proof("NotProven", "1x120")]

    assert [] == fired([*ALIVE, *back], "2h", tmp_path)
    assert [] == fired([*ALIVE, *elsewhere], "2h", tmp_path)


def test_a_proof_is_found_where_prometheus_renamed_its_namespace(programs: dict[str, str], tmp_path: Path):
    renamed = 'exported_namespace="shop",namespace="costpolicy"'
    series = [proof("Proven", "1x60 stale", labels=renamed), proof("QualityLost", "_x60 1x60", labels=renamed)]

    assert ["CostPolicyRouteProofLost shop chat compression QualityLost"] == fired([*ALIVE, *series], "2h", tmp_path)


def failures(values: str, pod: str = "a") -> dict[str, str]:
    labels = f'namespace="shop",pod="{pod}",step="choose"'
    return line("costpolicy_route_callback_errors_total", labels, values)


def test_steps_that_go_on_failing_are_told_from_their_first_failure_on_and_a_single_one_is_not(
    programs: dict[str, str], tmp_path: Path
):
    growing, late, once = failures("0x60 0+1x60"), failures("_x80 1x40", "b"), failures("0x60 1x60")
    two = [failures("_x90 1x30", "b"), failures("_x105 1x15", "c")]

    assert ["CostPolicyRouterStepsFail shop choose"] == fired([*ALIVE, growing], "2h", tmp_path)
    assert ["CostPolicyRouterStepsFail shop choose"] == fired([*ALIVE, *two], "115m", tmp_path)
    for single in (late, once):
        assert [] == fired([*ALIVE, single], "2h", tmp_path)


def test_what_is_told_names_the_policy_the_money_and_where_to_read_on(programs: dict[str, str], tmp_path: Path):
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules("15m")))
    [anomaly] = [one.rule() for one in ALERTS if one.name == "CostPolicySpendAnomaly"]
    described = anomaly["annotations"]["description"].replace("{{ $labels.policy }}", "chat")
    expected = {
        "exp_labels": {"severity": "warning", "namespace": "demo", "policy": "chat", "currency": "USD"},
        "exp_annotations": {
            "summary": "demo/chat cost 4.00 USD in the past hour, more than 1.5 times what this hour usually costs.",
            "description": described.replace("{{ $labels.namespace }}", "demo"),
            "runbook_url": "RUNBOOKS#costpolicyspendanomaly",
        },
    }
    test = {
        "interval": "15m",
        "input_series": history(lambda hour: 4.0 if hour >= 8 * DAY else 2.0, 8 * DAY + NOON),
        "alert_rule_test": [{"eval_time": "204h", "alertname": "CostPolicySpendAnomaly", "exp_alerts": [expected]}],
    }
    path = tmp_path / "test.yaml"
    path.write_text(
        yaml.safe_dump(
            {"rule_files": ["rules.yaml"], "group_eval_order": ORDER, "evaluation_interval": "15m", "tests": [test]}
        )
    )
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)

    assert 0 == done.returncode, done.stdout + done.stderr
