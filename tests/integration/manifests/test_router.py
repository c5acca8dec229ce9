"""The real API server accepts a router as it is, changes nothing of what was meant, and lets its configuration never change.

Covered: strict field validation of every object by server-side apply, Pod Security ``restricted``, immutability.
Not covered: pods that run (tests/router starts LiteLLM with these files).
"""

import json
from pathlib import Path

import pytest

from cluster.api_server import ApiServer
from cluster.progress import ClusterError
from costpolicy.manifests.router.router_objects import router_objects
from costpolicy.manifests.serialization import Object
from routers import full_router, router, secret
from storing import missing

ROUTERS = {"full": full_router(), "database": router(database=secret("database", "url"))}


@pytest.fixture(scope="module")
def namespace(api_server: ApiServer) -> str:
    name = "shop"
    api_server.kubectl("create", "namespace", name)
    api_server.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    api_server.kubectl("create", "serviceaccount", "default", "-n", name)  # no controller runs that would
    return name


def apply(api_server: ApiServer, objects: tuple[Object, ...], path: Path, *arguments: str) -> list[Object]:
    """Apply objects, and return what was stored."""
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    arguments = ("apply", "--server-side", "--validate=strict", "-o", "json", *arguments, "-f", str(path))
    answer = json.loads(api_server.kubectl(*arguments))
    items: list[Object] = answer["items"] if answer["kind"] == "List" else [answer]
    return items


@pytest.mark.parametrize("name", ROUTERS)
def test_the_api_server_accepts_it(name: str, api_server: ApiServer, namespace: str, tmp_path: Path):
    sent = router_objects(ROUTERS[name], monitored=True)
    stored = apply(api_server, sent, tmp_path / "router.json", "--dry-run=server")

    for meant, kept in zip(sent, stored, strict=True):
        for part in ("spec", "data", "immutable"):
            assert [] == missing(meant.get(part), kept.get(part), meant["kind"])
        assert [] == missing(meant["metadata"], kept["metadata"], meant["kind"])


def test_its_pods_pass_restricted_pod_security(api_server: ApiServer, namespace: str, tmp_path: Path):
    [deployment] = [each for each in router_objects(full_router(), monitored=True) if each["kind"] == "Deployment"]
    metadata = {"name": "router", "namespace": namespace}
    spec = deployment["spec"]["template"]["spec"]
    path = tmp_path / "pod.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))

    assert "pod/router created" in api_server.kubectl(
        "create", "--dry-run=server", "--validate=strict", "-f", str(path)
    )


def test_a_configuration_that_was_applied_stays_as_it_is(api_server: ApiServer, namespace: str, tmp_path: Path):
    [configuration, *_] = router_objects(router(), monitored=False)
    apply(api_server, (configuration,), tmp_path / "router.json")
    configuration["data"]["routes.json"] = "{}"

    with pytest.raises(ClusterError):
        apply(api_server, (configuration,), tmp_path / "router.json", "--force-conflicts")
