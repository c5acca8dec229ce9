"""What the charts render: golden files for three sets of values, and rules that hold for all of them.

Not covered: whether a cluster accepts it (test_installing.py).
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from charting import CASES, CHARTS, CRDS, OPERATOR, SETS, golden, helm, template, values_file
from costpolicy.observe.alerts import ALERTS
from costpolicy.runtime.settings import read_settings

ROOT = CHARTS.parent


def rendered(values: str, *arguments: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(template(values, *arguments)) if document]


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def operator(documents: list[dict[str, Any]]) -> dict[str, Any]:
    [deployment] = of_kind(documents, "Deployment")
    return deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize("case", SETS)
def test_renders_what_was_reviewed(case: str):
    assert golden(case) == (CASES / "golden" / f"{case}.yaml").read_text()


@pytest.mark.parametrize("chart", [OPERATOR, CRDS], ids=lambda chart: chart.name)
def test_helm_finds_nothing_to_complain_about(chart: Path):
    done = helm("lint", "--strict", chart, *(["-f", values_file("everything")] if chart == OPERATOR else []))

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_charts_carry_the_generated_files():
    for definition in (ROOT / "crds").iterdir():
        assert (CRDS / "files" / definition.name).read_text() == definition.read_text()
    prices = ROOT / "operator" / "costpolicy" / "catalog" / "data" / "list_prices.yaml"
    assert (OPERATOR / "files" / "list-prices.yaml").read_text() == prices.read_text()


def test_chart_and_package_have_one_version():
    [version] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    for chart in (OPERATOR, CRDS):
        described = yaml.safe_load((chart / "Chart.yaml").read_text())
        assert (described["version"], described["appVersion"]) == (version, version)


def test_definitions_are_kept_unless_told_otherwise():
    kept = yaml.safe_load_all(helm("template", "x", CRDS).stdout)
    given_up = yaml.safe_load_all(helm("template", "x", CRDS, "--set", "keep=false").stdout)

    assert {"keep"} == {item["metadata"]["annotations"]["helm.sh/resource-policy"] for item in kept}
    assert all("annotations" not in item["metadata"] for item in given_up)


@pytest.mark.parametrize("case", SETS)
def test_the_operators_pod_is_restricted(case: str):
    pod = operator(rendered(case))
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"emptyDir", "secret", "configMap"} >= {next(iter(set(v) - {"name"})) for v in pod["volumes"]}


@pytest.mark.parametrize("case", SETS)
def test_the_operator_understands_the_environment_it_is_given(case: str):
    [container] = operator(rendered(case))["containers"]
    environment = {entry["name"]: entry.get("value", "from-the-pod") for entry in container["env"]}

    settings = read_settings(environment)

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"metrics": settings.metrics_port, "health": settings.health_port}


@pytest.mark.parametrize("case", SETS)
def test_no_role_has_a_wildcard_or_reads_secrets(case: str):
    roles = [item for item in rendered(case) if item["kind"] in ("Role", "ClusterRole")]
    rules = [rule for role in roles for rule in role["rules"]]

    assert not any("*" in json.dumps(rule) for rule in rules)
    assert not any({"pods/exec", "pods/log"} & set(rule["resources"]) for rule in rules)
    assert {verb for rule in rules if "secrets" in rule["resources"] for verb in rule["verbs"]} == {"create"}


def test_nobody_gets_to_write_by_being_allowed_to_view():
    for role in of_kind(rendered("default"), "ClusterRole"):
        if "rbac.authorization.k8s.io/aggregate-to-view" in role["metadata"]["labels"]:
            verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
            assert verbs == {"get", "list", "watch"}


def test_with_namespaces_writing_is_limited_to_them():
    documents = rendered("namespaced")
    [cluster_role] = of_kind(documents, "ClusterRole")

    assert {verb for rule in cluster_role["rules"] for verb in rule["verbs"]} == {"list", "watch"}
    namespaces = [role["metadata"]["namespace"] for role in of_kind(documents, "Role")]
    assert namespaces == ["team-a", "team-b", "costpolicy"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "image.digest is needed"),
        (("--set", "image.tag=latest"), "image.digest is needed"),
        (("--set", "image.digest=sha256:abc"), "image/digest"),
        (("--set", "image.allowTag=true,image.tag=dev,prometheuss.url=x"), "prometheuss"),
        (("--set", "image.allowTag=true,image.tag=dev,router.image.repository=x"), "router.image.digest is needed"),
        (
            ("--set", "image.allowTag=true,image.tag=dev,router.image.repository=x,router.image.tag=main"),
            "set router.image.tag and router.allowTag=true",
        ),
        (("--set", "image.allowTag=true,image.tag=dev,defaultRolloutMode=Always"), "defaultRolloutMode"),
        (("--set", "image.allowTag=true,image.tag=dev,resyncInterval=30"), "resyncInterval"),
        (("--set", "image.allowTag=true,image.tag=dev,prometheus.url=prometheus"), "prometheus/url"),
    ],
)
def test_refuses_wrong_values_and_names_them(arguments: tuple[str, ...], says: str):
    done = helm("template", "x", OPERATOR, *arguments)

    assert done.returncode != 0
    assert says in done.stderr


@pytest.mark.parametrize(
    ("arguments", "image"),
    [
        ("router.image.repository=r/litellm,router.image.digest=sha256:" + "a" * 64, "r/litellm@sha256:" + "a" * 64),
        ("router.image.repository=r/litellm,router.image.tag=v1,router.allowTag=true", "r/litellm:v1"),
        ("router.image.tag=v1,router.allowTag=true", ""),
    ],
)
def test_the_operator_is_told_the_routers_image(arguments: str, image: str):
    container = operator(rendered("default", "--set", arguments))["containers"][0]
    told = {one["name"]: one.get("value") for one in container["env"]}

    assert told.get("COSTPOLICY_ROUTER_IMAGE", "") == image


def test_rules_are_a_prometheus_rule_where_that_kind_exists():
    with_kind = rendered("default", "--api-versions", "monitoring.coreos.com/v1/PrometheusRule")
    without = rendered("default")

    alerts, rule = sorted(
        of_kind(with_kind, "PrometheusRule"), key=lambda item: item["spec"]["groups"][0]["name"] == "costpolicy"
    )
    files = {name: text for item in of_kind(without, "ConfigMap") for name, text in item["data"].items()}
    assert rule["spec"] == yaml.safe_load(files["costpolicy.yaml"])
    assert alerts["spec"] == yaml.safe_load(files["costpolicy-alerts.yaml"])


def alerts_of(*arguments: str) -> list[dict[str, Any]]:
    """The alerts that the chart renders with some values."""
    groups = [
        item["spec"]["groups"]
        for item in of_kind(rendered("default", "--set", "rules.kind=PrometheusRule", *arguments), "PrometheusRule")
    ]
    return [rule for group in groups for each in group for rule in each["rules"] if "alert" in rule]


def test_alerts_are_those_of_the_module_and_link_to_the_runbooks():
    rendered_names = [rule["alert"] for rule in alerts_of("--set", "alerts.runbooks=https://wiki.example/alerts")]

    assert rendered_names == [one.name for one in ALERTS]
    assert {
        rule["annotations"]["runbook_url"] for rule in alerts_of("--set", "alerts.runbooks=https://wiki.example/alerts")
    } == {f"https://wiki.example/alerts#{one.name.lower()}" for one in ALERTS}
    schema = json.loads((OPERATOR / "values.schema.json").read_text())
    assert schema["properties"]["alerts"]["properties"]["disabled"]["items"]["enum"] == rendered_names


def test_alerts_can_be_left_out_one_by_one_and_all_together():
    assert "CostPolicySpendAnomaly" not in {
        rule["alert"] for rule in alerts_of("--set", "alerts.disabled={CostPolicySpendAnomaly}")
    }
    assert len(alerts_of("--set", "alerts.disabled={CostPolicySpendAnomaly}")) == len(ALERTS) - 1
    assert alerts_of("--set", "alerts.enabled=false") == []


def dashboards_of(*arguments: str) -> list[dict[str, Any]]:
    return [
        item
        for item in of_kind(rendered("default", *arguments), "ConfigMap")
        if "-dashboard-" in item["metadata"]["name"]
    ]


def test_dashboards_are_config_maps_that_a_sidecar_finds():
    found = dashboards_of("--set", "dashboards.annotations.grafana_folder=Costs")
    files = {name: text for item in found for name, text in item["data"].items()}

    assert {item["metadata"]["labels"]["grafana_dashboard"] for item in found} == {"1"}
    assert {item["metadata"]["annotations"]["grafana_folder"] for item in found} == {"Costs"}
    for file in (OPERATOR / "files" / "dashboards").iterdir():
        assert json.loads(files[f"costpolicy-{file.name}"]) == json.loads(file.read_text())
    assert dashboards_of("--set", "dashboards.enabled=false") == []


def test_every_alert_has_a_runbook():
    page = (ROOT / "docs" / "how-to" / "alerts.md").read_text()

    assert [one.name for one in ALERTS] == re.findall(r"^## (CostPolicy\w+)$", page, re.MULTILINE)


def test_every_value_has_a_place_in_the_schema_and_the_other_way_round():
    values = yaml.safe_load((OPERATOR / "values.yaml").read_text())
    schema = json.loads((OPERATOR / "values.schema.json").read_text())

    assert set(schema["properties"]) - {"global"} == set(values)
    for name, node in schema["properties"].items():
        if name != "global" and node.get("additionalProperties") is False:
            assert set(node["properties"]) == set(values[name]), name
