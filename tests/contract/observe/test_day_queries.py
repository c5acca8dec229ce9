"""The question about days of history, by promtool: eight days of one rate each, of which every answer is known.

Covered: every stretch, of rates and of the shape of requests, a policy without history, its text against a real parser; how far
rates rose after this time of days before.
Not covered: what is made of the answers (tests/unit/observe/test_days.py).
"""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from costpolicy.observe.day_queries import over_days, rises_before
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
        ]
        + [
            {"labels": f'{{{CHAT},ago="{ago}",horizon="{horizon}"}}', "value": rise}
            for ago, rise in (("24h", -1), ("48h", -1), ("168h", 5.5))
            for horizon in ("15m", "30m", "1h")
        ],
    }
    series = [
        {"series": f"{Recorded.POLICY_REQUESTS_OFFERED}{{{CHAT}}}", "values": HISTORY},
        {"series": f"{Recorded.REQUEST_SHAPE}{{{CHAT},{shape}}}", "values": HISTORY},
        {"series": 'costpolicy_policy:requests_offered:rate5m{namespace="days",policy="new"}', "values": "_x9"},
    ]
    check(series, asked, "15m", tmp_path / "test.yaml", programs)


def test_how_far_the_load_rose_after_this_time_of_days_before(programs: dict[str, str], tmp_path: Path) -> None:
    # A day has 2 requests a second, from minute 10 to 20 there are 12, from 40 on 22; a minute apart, looked at a day later.
    rise = "2x9 12x9 2x19 22x19"
    series = [
        {"series": f"{Recorded.POLICY_REQUESTS_OFFERED}{{{CHAT}}}", "values": f"{rise} 2x1379 2x59"},
        {"series": 'costpolicy_policy:requests_offered:rate5m{namespace="days",policy="new"}', "values": "_x1439 2x59"},
    ]
    asked = {
        "expr": rises_before(Scope()),
        "eval_time": "1d",
        "exp_samples": [
            {"labels": f'{{{CHAT},ago="24h",horizon="{horizon}"}}', "value": value}
            for horizon, value in (("15m", 10), ("30m", 10), ("1h", 20))
        ],
    }
    check(series, asked, "1m", tmp_path / "test.yaml", programs)


def check(series: list[Any], asked: Any, interval: str, path: Path, programs: dict[str, str]) -> None:
    test = {
        "evaluation_interval": "1d",
        "tests": [{"interval": interval, "input_series": series, "promql_expr_test": [asked]}],
    }
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run([programs["promtool"], "test", "rules", path], capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
