"""The question about days of history, by promtool: eight days of one rate each, of which every answer is known.

Covered: every stretch, a policy without history, its text against a real parser.
Not covered: what is made of the answers (tests/unit/observe/test_days.py).
"""

import subprocess
from pathlib import Path

import yaml

from costpolicy.observe.day_queries import offered_over_days
from costpolicy.observe.exported import Recorded
from costpolicy.observe.scope import Scope

DAY = 24 * 4
"""Samples of a day, one in a quarter of an hour."""


def test_every_day_of_history_is_told_apart(programs: dict[str, str], tmp_path: Path) -> None:
    oldest_first = (4.5, 10, 30, 8, 7, 6, 5, 4)
    history = " ".join(["_", *(f"{rate}x{DAY - 1}" for rate in oldest_first)])
    labels = 'namespace="days",policy="chat"'
    quantiles = {"0": 4, "1": 5, "2": 6, "3": 7, "4": 8, "ahead": 10, "week": 4.5, "most": 4, "all": 30}
    asked = {
        "expr": offered_over_days(Scope()),
        "eval_time": "8d5m",
        "exp_samples": [
            {"labels": f'{{{labels},stretch="{stretch}"}}', "value": value} for stretch, value in quantiles.items()
        ],
    }
    series = [
        {"series": f"{Recorded.POLICY_REQUESTS_OFFERED}{{{labels}}}", "values": history},
        {"series": 'costpolicy_policy:requests_offered:rate5m{namespace="days",policy="new"}', "values": "_x9"},
    ]
    test = {
        "evaluation_interval": "1d",
        "tests": [{"interval": "15m", "input_series": series, "promql_expr_test": [asked]}],
    }
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run([programs["promtool"], "test", "rules", path], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
