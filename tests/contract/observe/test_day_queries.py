"""The question about days of history, by promtool: eight days of one rate each, of which every answer is known.

Covered: every stretch, of rates and of the shape of requests, a policy without history, its text against a real parser.
Not covered: what is made of the answers (tests/unit/observe/test_days.py).
"""

import subprocess
from pathlib import Path

import yaml

from costpolicy.observe.day_queries import over_days
from costpolicy.observe.exported import Recorded
from costpolicy.observe.scope import Scope

DAY = 24 * 4
"""Samples of a day, one in a quarter of an hour."""


OLDEST_FIRST = (4.5, 10, 30, 8, 7, 6, 5, 4)
HISTORY = " ".join(["_", *(f"{value}x{DAY - 1}" for value in OLDEST_FIRST)])
QUANTILES = {"0": 4, "1": 5, "2": 6, "3": 7, "4": 8, "ahead": 10, "week": 4.5, "most": 4, "all": 30}
CHAT = 'namespace="days",policy="chat"'


def test_every_day_of_history_is_told_apart(programs: dict[str, str], tmp_path: Path) -> None:
    shape = 'figure="prompt_tokens"'
    asked = {
        "expr": over_days(Scope()),
        "eval_time": "8d5m",
        "exp_samples": [
            {"labels": f'{{{CHAT},stretch="{stretch}"{figure}}}', "value": value}
            for figure in ("", f",{shape}")
            for stretch, value in QUANTILES.items()
        ],
    }
    series = [
        {"series": f"{Recorded.POLICY_REQUESTS_OFFERED}{{{CHAT}}}", "values": HISTORY},
        {"series": f"{Recorded.REQUEST_SHAPE}{{{CHAT},{shape}}}", "values": HISTORY},
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
