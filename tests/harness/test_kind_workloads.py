"""Covers what runs inside a kind cluster: the manifests of kwok and Prometheus, and the engines of both clusters.

Not covered: that kind, its node and its images do what they are told (nothing here runs kind).
"""

from pathlib import Path

import pytest
import yaml
from kubernetes import client

from cluster import containers, gpus, kind, kind_workloads, local
from cluster.cluster import RealEngine
from cluster.prometheus import pods_job
from costpolicy.api.policy import CostPolicySpec
from demo.real_engine import MANIFEST, runs_on
from engine.environment import VLLM_VERSION

RULES = {"groups": [{"name": "costpolicy", "interval": "5s", "rules": []}]}


@pytest.mark.parametrize(
    "manifest",
    [*kind_workloads.kwok_manifests("node"), *kind_workloads.prometheus_manifests(RULES, "5s")],
    ids=lambda manifest: f"{manifest['kind']} {manifest['metadata']['name']}",
)
def test_every_field_that_is_applied_is_one_of_kubernetes(manifest):
    converter = client.ApiClient()

    # The client's models drop what they do not know.
    understood = converter._ApiClient__deserialize(manifest, f"V1{manifest['kind']}")

    assert manifest == converter.sanitize_for_serialization(understood)


def test_kwok_reads_the_stages_of_the_local_cluster_and_runs_on_the_real_node():
    objects = {each["kind"]: each for each in kind_workloads.kwok_manifests(kind.NODE)}
    pod = objects["Deployment"]["spec"]["template"]["spec"]

    assert objects["ConfigMap"]["data"]["stages.yaml"] == gpus.STAGES.read_text()
    assert {"--config=/etc/kwok/stages.yaml", "--manage-all-nodes=false"} <= set(pod["containers"][0]["args"])
    assert {"kubernetes.io/hostname": kind.NODE} == pod["nodeSelector"]


def test_prometheus_scrapes_pods_as_the_local_one_does_and_evaluates_the_rules():
    objects = {each["kind"]: each for each in kind_workloads.prometheus_manifests(RULES, "5s")}
    files = objects["ConfigMap"]["data"]
    configuration = yaml.safe_load(files["prometheus.yml"])

    assert [pods_job({"kubernetes_sd_configs": [{"role": "pod"}]})] == configuration["scrape_configs"]
    assert {"scrape_interval": "5s", "evaluation_interval": "5s"} == configuration["global"]
    assert ["/etc/prometheus/rules.yaml"] == configuration["rule_files"]
    assert RULES == yaml.safe_load(files["rules.yaml"])


def test_prometheus_may_only_read_pods_and_is_reached_where_the_operator_asks(cluster):
    objects = {each["kind"]: each for each in kind_workloads.prometheus_manifests(RULES, "5s")}
    name = objects["Service"]["metadata"]
    (port,) = objects["Service"]["spec"]["ports"]

    assert [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}] == objects["ClusterRole"][
        "rules"
    ]
    assert [{"kind": "ServiceAccount", **name}] == objects["ClusterRoleBinding"]["subjects"]
    assert f"http://{name['name']}.{name['namespace']}.svc:{port['port']}" == cluster.prometheus_url


@pytest.mark.parametrize(
    ("engine", "runtime_class"),
    [
        (
            RealEngine(
                version=VLLM_VERSION,
                image=local.ENGINE_IMAGE,
                runtime_class=containers.HOST_PYTHON,
                model_on_node=Path("/cache/tiny-model"),
            ),
            "host-python",
        ),
        (
            RealEngine(
                version=kind.ENGINE_VERSION,
                image=kind.ENGINE_IMAGE,
                runtime_class=None,
                model_on_node=kind.MODEL_ON_NODE,
            ),
            None,
        ),
    ],
    ids=["local", "kind"],
)
def test_the_tiny_models_policy_runs_on_the_engine_that_the_cluster_has(engine, runtime_class):
    written = yaml.safe_load(MANIFEST.read_text())["spec"]
    change = runs_on(engine)["spec"]["engine"]
    pod = written["engine"]["pod"] | change.get("pod", {})

    spec = CostPolicySpec.model_validate(written | {"engine": written["engine"] | change | {"pod": pod}})

    assert (engine.version, engine.image) == (spec.engine.version, spec.engine.image)
    assert spec.engine.image.endswith(engine.version)
    assert runtime_class == spec.engine.pod.runtime_class_name
    assert spec.engine.pod.resources is not None
