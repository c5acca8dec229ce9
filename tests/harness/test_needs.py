"""Covers what is said of rings that a machine cannot run. Not covered: that the named programs suffice."""

import re

import pytest

from cluster import needs
from cluster.__main__ import main
from cluster.paths import CHECKOUT


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine on which nothing is installed or built."""
    for name in ("PATH", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def test_a_bare_machine_lacks_everything_that_a_ring_needs(bare):
    assert ["etcd", "kube-apiserver", "kubectl", "helm", "kwok", "external-metrics"] == needs.lacking("integration")
    built = ["the CPU engine's environment", "the router's environment"]
    assert ["prometheus", "promtool", *built] == needs.lacking("contract")


def test_rings_in_one_process_need_nothing(bare):
    assert [] == needs.lacking("scenarios")
    assert [] == needs.lacking("faults")


def test_what_is_there_is_not_lacked(bare, tmp_path):
    (tmp_path / "etcd").touch(mode=0o755)

    assert ["kube-apiserver", "kubectl"] == needs.lacking("docs")


def test_the_command_prints_what_is_lacking_and_nothing_where_nothing_is(bare, capsys):
    assert 0 == main(["lacks", "docs"])
    assert "etcd, kube-apiserver, kubectl\n" == capsys.readouterr().out

    assert 0 == main(["lacks", "e2e"])
    assert "\n" == capsys.readouterr().out


def test_every_ring_with_needs_is_one_that_is_run():
    runs = re.findall(r"^for quick in (.*); do$", (CHECKOUT / "tests" / "run.sh").read_text(), re.MULTILINE)

    assert needs.NEEDS.keys() <= set(runs[0].split())
