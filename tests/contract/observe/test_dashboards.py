"""What the chart's dashboards ask, put to a real Prometheus.

Covered: each expression is accepted, names only series that are documented, and finds something where engines and operator are
scraped and the rules are loaded.  Not covered: Grafana itself; how panels look.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from contract.observe.promtool import RULES, line
from contract.observe.tapes import Tape
from contract.observe.test_feature_rules import routed as routed_tokens
from contract.observe.test_ledger_rules import HELD, OPERATOR, POD, POLICY, PRICE, READY, engine
from scraping import Server

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "charts" / "costpolicy-operator" / "files" / "dashboards"
DOCUMENTED = set(re.findall(r"^\| `([^`]+)`", (ROOT / "docs" / "reference" / "metrics.md").read_text(), re.MULTILINE))
CHOSEN = {"$namespace": ".+", "$policy": "chat", "$__rate_interval": "5m", "$__range": "3h"}
"""What Grafana puts in for its variables."""


def panels(board: dict[str, object]) -> Iterator[dict[str, object]]:
    for panel in board["panels"]:  # type: ignore[attr-defined]
        yield panel
        yield from panel.get("panels", ())


def expressions() -> dict[str, str]:
    found = {}
    for file in sorted(FOLDER.iterdir()):
        for panel in panels(json.loads(file.read_text())):
            for target in panel.get("targets", ()):  # type: ignore[attr-defined]
                text = target["expr"]
                for variable, value in CHOSEN.items():
                    text = text.replace(variable, value)
                found[f"{file.stem}: {panel['title']} {target['refId']}"] = text
    return found


EXPRESSIONS = expressions()


def operators_own() -> list[dict[str, str]]:
    """What the operator exports of itself and of the policy."""
    return [
        line("costpolicy_leader", "", "1x260"),
        line("costpolicy_reconcile_total", 'result="done"', "0+1x260"),
        line("costpolicy_reconcile_duration_seconds_bucket", 'le="0.1"', "0+1x260"),
        line("costpolicy_reconcile_duration_seconds_bucket", 'le="+Inf"', "0+1x260"),
        line("costpolicy_unmet_condition", f'{POLICY},condition="ObjectivesMet",reason="ObjectiveMissed"', "1x260"),
        line("costpolicy_budget", f'{POLICY},currency="USD",period="month"', "1000x260"),
        line("costpolicy_month_spent", f'{POLICY},currency="USD"', "500x260"),
        line("costpolicy_month_forecast", f'{POLICY},currency="USD"', "900x260"),
        line("costpolicy_saved_per_hour", f'{POLICY},currency="USD",basis="allocated"', "3x260"),
        line("costpolicy_saved_per_hour", f'{POLICY},currency="USD",basis="realised"', "2x260"),
        line("costpolicy_objective_seconds", f'{POLICY},objective="ttft"', "0.5x260"),
        line("costpolicy_objective_seconds", f'{POLICY},objective="inter_token_latency"', "0.05x260"),
        line("costpolicy_policy:usual_cost:hour", f'{POLICY},currency="USD"', "1.5x260"),
    ]


def engines_own() -> list[dict[str, str]]:
    histograms = [
        line(f"vllm:{name}_bucket", f'{POD},le="{edge}"', values)
        for name in ("time_to_first_token_seconds", "inter_token_latency_seconds")
        for edge, values in (("0.5", "0+30x260"), ("1.0", "0+60x260"), ("+Inf", "0+60x260"))
    ]
    gauges = [
        line("vllm:num_requests_running", POD, "4x260"),
        line("vllm:num_requests_waiting", POD, "1x260"),
        line("vllm:kv_cache_usage_perc", POD, "0.4x260"),
    ]
    starting = line("costpolicy_gpus", HELD + ',state="starting"', "1x260")
    routed = routed_tokens("search", "output", 100)
    return [*engine(), *histograms, *gauges, routed, OPERATOR, PRICE, READY, starting]


def test_every_dashboard_is_one_that_grafana_can_load():
    names = {file.stem for file in FOLDER.iterdir()}
    boards = [json.loads(file.read_text()) for file in FOLDER.iterdir()]

    assert {"fleet", "policy", "savings"} == names
    assert len(names) == len({board["uid"] for board in boards})
    for board in boards:
        assert "datasource" in [variable["name"] for variable in board["templating"]["list"]]
        for panel in panels(board):
            identities = [target["refId"] for target in panel.get("targets", ())]  # type: ignore[attr-defined]
            assert all(identities)
            assert len(identities) == len(set(identities))


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_an_expression_names_only_what_is_documented(place: str):
    names = set(re.findall(r"(?:costpolicy|vllm)[a-z_0-9]*(?::[a-z_0-9]+)*", EXPRESSIONS[place]))
    families = {re.sub(r"_(bucket|count|sum)$", "", name) if name not in DOCUMENTED else name for name in names}

    assert families
    assert families <= DOCUMENTED


def test_prometheus_accepts_every_expression(backfilled) -> None:
    tape = Tape()
    tape.add("up", {}, [(1793500000, 1.0)])
    server: Server = backfilled(tape)
    for place, text in EXPRESSIONS.items():
        reply = requests.get(f"{server.url}/api/v1/query", params={"query": text}, timeout=10).json()
        assert "success" == reply["status"], f"{place}: {reply}"


def test_every_expression_finds_something_where_all_is_scraped(programs: dict[str, str], tmp_path: Path) -> None:
    tests = [
        {"expr": f"count({text}) > bool 0", "eval_time": "120m", "exp_samples": [{"labels": "{}", "value": 1}]}
        for text in EXPRESSIONS.values()
    ]
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "30s", "input_series": [*engines_own(), *operators_own()], "promql_expr_test": tests}],
    }
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)

    assert 0 == done.returncode, done.stdout + done.stderr
