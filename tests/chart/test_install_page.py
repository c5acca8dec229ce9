"""docs/how-to/install.md is true: its helm and kubectl commands, as they stand there and in that order, on a real API server.

Only what the page says to replace is replaced: the digest. Not covered: building and pushing the image (e2e builds it),
and that the operator's pod starts, since nothing here runs pods.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from cluster.api_server import ApiServer, run_client, start_api_server
from pages import command_lines

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "install.md"
DIGEST = f"sha256:{'0' * 64}"
CLIENTS = ("helm", "kubectl")


def commands() -> list[list[str]]:
    """The page's commands to a cluster, with a digest and with paths that hold from anywhere."""
    found = [words for words in command_lines(PAGE.read_text()) if words[0] in CLIENTS]
    return [[_from_anywhere(word.replace("sha256:...", DIGEST)) for word in words] for words in found]


def _from_anywhere(word: str) -> str:
    return str(ROOT / word) if word.startswith(("charts/", "examples/", "crds/")) else word


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiServer, list[str]]]:
    """An API server on which every command was run, and what each printed; one that fails ends the test."""
    server = start_api_server(tmp_path_factory.mktemp("install-page"))
    try:
        yield server, [run_client(program, server.kubeconfig, words) for program, *words in commands()]
    finally:
        server.stop()


def test_the_page_installs_both_charts_and_applies_a_policy():
    assert [["helm", "install"], ["helm", "install"], ["kubectl", "apply"], ["kubectl", "get"]] == [
        words[:2] for words in commands()
    ]


def test_both_charts_are_deployed(following: tuple[ApiServer, list[str]]):
    server, _ = following
    releases = yaml.safe_load(
        run_client("helm", server.kubeconfig, ["list", "--namespace", "costpolicy", "--output", "json"])
    )

    assert {"costpolicy-crds": "deployed", "costpolicy-operator": "deployed"} == {
        release["name"]: release["status"] for release in releases
    }


def test_the_operator_is_installed_with_the_image_and_the_prometheus_of_the_page(
    following: tuple[ApiServer, list[str]],
):
    server, _ = following
    [deployment] = yaml.safe_load(server.kubectl("get", "deployments", "-n", "costpolicy", "-o", "yaml"))["items"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]

    assert f"registry.example.com/costpolicy/operator@{DIGEST}" == container["image"]
    assert "http://prometheus.monitoring:9090" in {entry.get("value") for entry in container["env"]}


def test_the_policy_that_it_applies_is_the_one_that_it_shows(following: tuple[ApiServer, list[str]]):
    _, printed = following
    shown = yaml.safe_load(printed[-1])

    assert "CostPolicy" == shown["kind"]
    assert "Recommend" == shown["spec"]["rollout"]["mode"]
