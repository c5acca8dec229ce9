"""Covers pins, credentials, commands and configurations. Not covered: that the programs start (e2e ring)."""

import re
from pathlib import Path

import pytest
import yaml

from cluster import binaries, gpus
from cluster.api_server import free_ports
from cluster.credentials import IDENTITIES, token, write_kubeconfig, write_tokens
from cluster.paths import cache_folder, state_folder
from cluster.progress import ClusterError
from cluster.prometheus import pod_relabelling

PINNED = {
    "kubernetes": ("k8s.io/kubernetes", binaries.KUBERNETES_VERSION),
    "kwok": ("sigs.k8s.io/kwok", binaries.KWOK_VERSION),
    "helm": ("helm.sh/helm/v4", binaries.HELM_VERSION),
    "kubeconform": ("github.com/yannh/kubeconform", binaries.KUBECONFORM_VERSION),
    "coredns": ("github.com/coredns/coredns", binaries.COREDNS_VERSION),
    "external-metrics": ("sigs.k8s.io/custom-metrics-apiserver", binaries.CUSTOM_METRICS_VERSION),
    "keda-operator": ("github.com/kedacore/keda/v2", binaries.KEDA_VERSION),
    "keda-adapter": ("github.com/kedacore/keda/v2", binaries.KEDA_VERSION),
}


@pytest.mark.parametrize("name", binaries.PROGRAMS)
def test_the_version_a_program_reports_is_the_one_its_module_pins_and_verifies(name):
    module, version = PINNED[name]
    folder = binaries.PROGRAMS[name].module

    assert re.search(
        rf"^\s*(?:require )?{re.escape(module)} v{version}\b", (folder / "go.mod").read_text(), re.MULTILINE
    )
    assert f"{module} v{version} h1:" in (folder / "go.sum").read_text()


def test_no_module_replaces_what_it_pins():
    for program in binaries.PROGRAMS.values():
        assert "replace" not in (program.module / "go.mod").read_text()


def test_a_program_that_was_not_built_is_named_with_the_command_that_builds_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(ClusterError, match=r"kubelet is not built yet: run `make build`"):
        binaries.path("kubelet")
    with pytest.raises(ClusterError, match=r"`make test-long` builds it \(or `python -m cluster build keda-adapter`\)"):
        binaries.path("keda-adapter")


def test_what_only_the_long_tests_need_is_not_built_with_the_rest():
    assert {"keda-operator", "keda-adapter"} == binaries.PROGRAMS.keys() - set(binaries.EVERYDAY)


def test_a_relative_base_directory_is_ignored(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("XDG_STATE_HOME", "there")

    assert cache_folder() == Path.home() / ".cache" / "costpolicy"
    assert state_folder() == Path.home() / ".local" / "state" / "costpolicy" / "cluster"


def test_every_identity_has_its_own_token_that_only_the_user_can_read(tmp_path):
    write_tokens(tmp_path)

    assert len({token(tmp_path, identity) for identity in IDENTITIES}) == len(IDENTITIES)
    assert (tmp_path / "tokens.csv").stat().st_mode & 0o077 == 0


def test_a_kubeconfig_carries_the_token_of_its_identity(tmp_path):
    write_tokens(tmp_path)

    config = yaml.safe_load(write_kubeconfig(tmp_path, "kubelet", "https://10.88.0.1:6443").read_text())

    assert config["users"][0]["user"]["token"] == token(tmp_path, "kubelet")
    assert config["clusters"][0]["cluster"]["server"] == "https://10.88.0.1:6443"


def test_free_ports_are_distinct():
    assert len(set(free_ports(5))) == 5


def test_pods_of_simulated_nodes_are_not_scraped_because_nobody_answers():
    dropped = [rule["regex"] for rule in pod_relabelling() if rule["action"] == "drop"]

    assert any(re.fullmatch(regex, gpus.simulated_name("NVIDIA-H200", 1)) for regex in dropped)
    assert not any(re.fullmatch(regex, "real-1") for regex in dropped)


def test_series_carry_policy_and_variant_of_the_pod():
    targets = {rule.get("target_label") for rule in pod_relabelling()}

    assert {"namespace", "pod", "costpolicy", "variant"} <= targets
