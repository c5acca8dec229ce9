"""Covers what Prometheus hears of pods. Not covered: asking a real API server (e2e ring)."""

import json

from cluster.pod_discovery import targets, write


def pod(**status):
    return {
        "metadata": {
            "namespace": "models",
            "name": "chat-0123456789-abc",
            "labels": {"costpolicy.dev/policy": "chat", "costpolicy.dev/variant": "0123456789"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8000"},
        },
        "spec": {"nodeName": "real-1"},
        "status": {"phase": "Running", **status},
    }


def test_a_pod_is_described_by_the_meta_labels_of_prometheus_own_discovery():
    (group,) = targets([pod(podIP="10.88.0.11")])

    assert group["targets"] == ["10.88.0.11"]
    assert group["labels"] == {
        "__meta_kubernetes_namespace": "models",
        "__meta_kubernetes_pod_name": "chat-0123456789-abc",
        "__meta_kubernetes_pod_ip": "10.88.0.11",
        "__meta_kubernetes_pod_node_name": "real-1",
        "__meta_kubernetes_pod_phase": "Running",
        "__meta_kubernetes_pod_label_costpolicy_dev_policy": "chat",
        "__meta_kubernetes_pod_label_costpolicy_dev_variant": "0123456789",
        "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
        "__meta_kubernetes_pod_annotation_prometheus_io_port": "8000",
    }


def test_a_pod_without_an_address_is_no_target():
    assert targets([pod()]) == []


def test_a_pod_without_labels_and_annotations_is_described_all_the_same():
    bare = pod(podIP="10.88.0.12")
    bare["metadata"] = {"namespace": "default", "name": "bare", "labels": None}

    assert [group["targets"] for group in targets([bare])] == [["10.88.0.12"]]


def test_the_file_is_replaced_as_a_whole(tmp_path):
    target = tmp_path / "pods.json"
    write(target, [{"targets": ["a"], "labels": {}}])
    write(target, [])

    assert json.loads(target.read_text()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["pods.json"]
