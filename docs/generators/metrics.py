"""The reference of metrics: what the operator exports, what the chart records, what is read from engines."""

from costpolicy.clock import SystemClock
from costpolicy.kube.connection import Connection
from costpolicy.observe.engine_metrics import EngineMetric
from costpolicy.observe.exported import EXPORTED
from costpolicy.observe.router_metrics import RouterMetric
from costpolicy.observe.rules import rule_file
from costpolicy.runtime.operator import Operator
from costpolicy.runtime.settings import Settings
from costpolicy.runtime.telemetry import Telemetry

HEAD = """\
# Metrics

<!-- Made by docs/generators/metrics.py; do not edit. -->

Scrape the operator with `honorLabels: true`: `namespace` and `pod` name what is measured, not the operator.

## About the fleet, exported by the operator

| Metric | Labels | What it says |
|---|---|---|
"""
OWN = """
## About the operator itself

| Metric | Type | What it says |
|---|---|---|
"""
RECORDED = """
## Recorded by the chart's rules

The operator reads its history from these series; `charts/costpolicy-operator/files/recording-rules.yaml` holds their expressions.

| Series |
|---|
"""
ROUTED = """
## Served by routers

The callback in a router's pods counts what it routes.
Labels are bounded ([which there are](../decisions/0033-the-router.md#what-the-router-counts)).

| Series |
|---|
"""
READ = """
## Read from vLLM

| Metric |
|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    fleet = "".join(f"| `{one.name}` | `{'`, `'.join(one.labels)}` | {one.help} |\n" for one in EXPORTED)
    rules = [rule for group in rule_file()["groups"] for rule in group["rules"]]
    recorded = "".join(f"| `{rule['record']}` |\n" for rule in rules)
    read = "".join(f"| `{metric}` |\n" for metric in EngineMetric)
    routed = "".join(f"| `{metric}` |\n" for metric in RouterMetric)
    return HEAD + fleet + OWN + _own() + RECORDED + recorded + ROUTED + routed + READ + read


def _own() -> str:
    telemetry = Telemetry()
    exported = {gauge.name for gauge in EXPORTED}
    Operator(_settings(), Connection.__new__(Connection), telemetry, SystemClock(), lambda _g, _t: lambda _key: None)
    families = sorted(telemetry.registry.collect(), key=lambda family: family.name)
    return "".join(
        f"| `{family.name}{'_total' if family.type == 'counter' else ''}` | {family.type} | {family.documentation} |\n"
        for family in families
        if family.name not in exported
    )


def _settings() -> Settings:
    return Settings(health_port=0, metrics_port=0, identity="reference")
