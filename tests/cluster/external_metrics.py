"""A server of ``external.metrics.k8s.io`` whose values a test writes."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries, metrics_api
from cluster.api_server import ApiServer, free_ports
from cluster.processes import start_tied


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalMetrics:
    """A running server; the values are those of the file, at every moment."""

    server: ApiServer
    values: Path
    process: "subprocess.Popen[bytes]"

    def write(self, values: Mapping[str, str]) -> None:
        """Let metrics have these values, as quantities; any other has none."""
        unfinished = self.values.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(values))
        unfinished.rename(self.values)

    def stop(self) -> None:
        """End the server and take its registration back."""
        metrics_api.unregister(self.server)
        self.process.kill()
        self.process.wait()


def start_external_metrics(server: ApiServer) -> ExternalMetrics:
    """Start one beside an API server with controllers; it has no value of anything until some are written."""
    (port,) = free_ports(1)
    folder = server.folder / "external-metrics"
    folder.mkdir(exist_ok=True)
    log = folder / "external-metrics.log"
    process = start_tied(_command(server, folder, port), log)
    running = ExternalMetrics(server=server, values=folder / "values.json", process=process)
    running.write({})
    try:
        metrics_api.register(server, port, process, log)
    except BaseException:
        running.stop()
        raise
    return running


def _command(server: ApiServer, folder: Path, port: int) -> list[str | Path]:
    return [
        binaries.path("external-metrics"),
        *(f"--values={folder / 'values.json'}", f"--cert-dir={folder}", f"--secure-port={port}"),
        *(f"--{role}-kubeconfig={server.kubeconfig}" for role in ("lister", "authentication", "authorization")),
        *metrics_api.UNAUTHENTICATED,
    ]
