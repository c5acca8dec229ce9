"""Definitions of kinds on a real API server, served before this returns."""

from pathlib import Path

from cluster.api_server import ApiServer
from waiting import wait_until


def define(server: ApiServer, definitions: Path) -> None:
    """Apply a file or folder of CustomResourceDefinitions and wait until their kinds are served."""
    server.kubectl("apply", "--server-side", "-f", str(definitions))
    # Not `kubectl wait`: it gives up on a definition that has no conditions yet.
    wait_until(lambda: _served(server, definitions), seconds=30)


def _served(server: ApiServer, definitions: Path) -> bool:
    names = server.kubectl("get", "-f", str(definitions), "-o", "name").split()
    query = "{.status.conditions[?(@.type=='Established')].status}"
    return all("True" == server.kubectl("get", name, "-o", f"jsonpath={query}") for name in names)
