"""Objects of other projects' kinds against their published CRDs (``tests/data/crds``).

Covered: every field exists with that type, required fields are there, enumerations hold.
Not covered: rules that only the other project's admission checks.
"""

from pathlib import Path

import pytest
import yaml

from builders import policy
from costpolicy.manifests.autoscaler import ScalerInputs, scaled_object
from costpolicy.manifests.monitoring import SERIES_LABELS, pod_monitor
from costpolicy.manifests.router.monitoring import router_pod_monitor
from costpolicy.planning.autoscaling import LoadSignal
from routers import router

CRDS = Path(__file__).parents[2] / "data" / "crds"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}


def schema_of(kind):
    for path in CRDS.glob("*.yaml"):
        crd = yaml.safe_load(path.read_text())
        if crd["spec"]["names"]["kind"] == kind:
            version = crd["spec"]["versions"][0]
            return f"{crd['spec']['group']}/{version['name']}", version["schema"]["openAPIV3Schema"]
    pytest.fail(f"no CRD of {kind} in {CRDS}")


def faults(schema, value, path):
    """Every place where a value departs from a structural schema."""
    if not isinstance(value, TYPES[schema["type"]]):
        return [f"{path}: {value!r} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path}: {value!r} is none of {schema['enum']}"]
    if isinstance(value, list):
        return [
            fault for index, item in enumerate(value) for fault in faults(schema["items"], item, f"{path}[{index}]")
        ]
    if not isinstance(value, dict):
        return []
    properties = schema.get("properties")
    if properties is None:  # metadata, and maps of strings
        return []
    found = [f"{path}.{name}: required" for name in schema.get("required", ()) if name not in value]
    found += [f"{path}.{name}: unknown" for name in value if name not in properties]
    for name in value.keys() & properties.keys():
        found += faults(properties[name], value[name], f"{path}.{name}")
    return found


def test_a_pod_monitor_fits_its_crd():
    monitor = pod_monitor(policy())
    api_version, schema = schema_of("PodMonitor")

    assert api_version == monitor["apiVersion"]
    assert [] == faults(schema, monitor, "PodMonitor")


def test_a_routers_pod_monitor_fits_its_crd():
    rendered = router_pod_monitor(router())
    api_version, schema = schema_of("PodMonitor")

    assert api_version == rendered["apiVersion"]
    assert [] == faults(schema, rendered, "PodMonitor")


@pytest.mark.parametrize("stopped", [False, True])
def test_a_scaled_object_fits_its_crd(stopped: bool):
    targets = dict.fromkeys(LoadSignal, 1.5)
    inputs = ScalerInputs(policy=policy(), variant="0123456789", bounds=(1, 10), targets=targets, stopped=stopped)
    rendered = scaled_object(inputs, "http://prometheus:9090", dict.fromkeys(LoadSignal, "up"))
    api_version, schema = schema_of("ScaledObject")

    assert api_version == rendered["apiVersion"]
    assert [] == faults(schema, rendered, "ScaledObject")


def test_the_check_notices_what_is_wrong():
    _, schema = schema_of("PodMonitor")
    wrong = pod_monitor(policy())
    wrong["spec"]["podMetricsEndpoints"][0]["prot"] = "http"
    wrong["spec"]["podMetricsEndpoints"][0]["path"] = 1
    del wrong["spec"]["selector"]

    assert 3 == len(faults(schema, wrong, "PodMonitor"))


def test_series_get_the_labels_that_queries_use():
    relabelings = pod_monitor(policy())["spec"]["podMetricsEndpoints"][0]["relabelings"]

    assert {"costpolicy", "variant"} == SERIES_LABELS.keys()
    assert [
        ["__meta_kubernetes_pod_label_costpolicy_dev_policy"],
        ["__meta_kubernetes_pod_label_costpolicy_dev_variant"],
    ] == [step["sourceLabels"] for step in relabelings]
