"""A router's folder as its pod sees it: every file as the operator renders it, with addresses and ports of this machine."""

import json
from collections.abc import Mapping
from pathlib import Path

import costpolicy.router_plugin
from costpolicy.manifests.identity import HTTP_PORT
from costpolicy.manifests.router.configuration import router_files
from costpolicy.manifests.router.files import CONFIG_FILE, ROUTES_FILE
from costpolicy.manifests.router.inputs import Router

PLUGIN = Path(costpolicy.router_plugin.__file__).parent


def write_folder(folder: Path, router: Router, addresses: Mapping[str, str], metrics_port: int) -> Path:
    """Write everything; samples go to a folder ``samples`` beside it.

    Args:
        folder: must not be there yet.
        router: as the operator decides it.
        addresses: of what answers, by the policy that would.
        metrics_port: where the callback serves what it counts.
    """
    for file in router_files(router):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    configuration = (folder / CONFIG_FILE).read_text()
    for policy, address in addresses.items():
        configuration = configuration.replace(f"http://{policy}.{router.namespace}.svc:{HTTP_PORT}", address)
    (folder / CONFIG_FILE).write_text(configuration)
    routes = json.loads((folder / ROUTES_FILE).read_text()) | {"metricsPort": metrics_port}
    for route in routes["routes"].values():
        if "sampling" in route:
            route["sampling"]["folder"] = str(folder.parent / "samples")
    (folder / ROUTES_FILE).write_text(json.dumps(routes))
    return folder


def variables_of(folder: Path) -> dict[str, str]:
    """Return what differs on this machine from the variables of a pod: where it may write, and where modules are."""
    scratch = folder.with_name(f"{folder.name}-tmp")
    scratch.mkdir(exist_ok=True)
    return {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONPATH": str(folder)}
