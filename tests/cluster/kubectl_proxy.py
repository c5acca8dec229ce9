"""Services of a cluster whose network this machine does not see, through the API server and `kubectl proxy`.

Unlike a port that is forwarded to one pod, the way stays open when a pod is replaced or a connection breaks.
"""

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cluster import binaries
from cluster.cluster import Service
from cluster.processes import tied, wait_until
from cluster.progress import ClusterError, tail

_SERVICES = "^/api/v1/namespaces/[^/]+/services/[^/]+/proxy/"
"""All that the proxy passes on: whoever reaches it is the administrator."""


@contextlib.contextmanager
def kubectl_proxy(kubeconfig: Path) -> Iterator[str]:
    """Run a proxy on a free port of 127.0.0.1 until the block ends; gives its address, without a slash at the end."""
    command: list[str | Path] = [binaries.client("kubectl"), "proxy", "--port=0", f"--accept-paths={_SERVICES}"]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "proxy.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                tied(command),
                env=os.environ | {"KUBECONFIG": str(kubeconfig)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until("kubectl proxy", 30, _serves(process, log))
            yield f"http://{_address(log)}"
        finally:
            process.kill()
            process.wait()


def service_path(service: Service) -> str:
    """Return the path under which the API server passes requests on to the first port of a Service."""
    metadata, port = service["metadata"], service["spec"]["ports"][0]["port"]
    return f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}:{port}/proxy"


def _serves(process: "subprocess.Popen[bytes]", log: Path) -> Iterator[bool]:
    while True:
        if process.poll() is not None:
            raise ClusterError(f"kubectl proxy ended:\n{tail(log)}")
        yield bool(_address(log))


def _address(log: Path) -> str:
    found = re.search(r"^Starting to serve on (\S+)$", log.read_text(), re.MULTILINE)
    return found[1] if found else ""
