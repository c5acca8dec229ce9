"""The chart's rule file and series for it, put to promtool."""

import subprocess
from pathlib import Path

import yaml

RULES = Path(__file__).parents[3] / "charts" / "costpolicy-operator" / "files" / "recording-rules.yaml"
POD = 'namespace="demo",pod="chat-1",costpolicy="chat",variant="aaa",engine="0"'
VARIANT = 'namespace="demo",policy="chat",variant="aaa"'


def line(name: str, labels: str, values: str) -> dict[str, str]:
    return {"series": f"{name}{{{labels}}}", "values": values}


def check(series: list[dict[str, str]], expected: dict[str, list[tuple[str, float]]], at: str, folder: Path) -> None:
    """Run promtool: at a time, each expression has exactly these samples (labels, value).

    Groups that fall on one moment are evaluated in the order of the file; promtool leaves it to chance otherwise, and an hour
    has its last minute or has not.
    """
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]],
        "tests": [
            {
                "interval": "30s",
                "input_series": series,
                "promql_expr_test": [
                    {
                        "expr": expr,
                        "eval_time": at,
                        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples],
                    }
                    for expr, samples in expected.items()
                ],
            }
        ],
    }
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(test), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
