"""A real KEDA beside a light API server: its operator and its metrics server, as two processes of this machine.

The metrics server answers the HorizontalPodAutoscaler's controller and asks the operator, both by a certificate of their
own.  Not here: KEDA's admission, which refuses a ScaledObject where another autoscaler is; its roles (it is the
administrator).
"""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries, debian, metrics_api
from cluster.api_server import ApiServer, free_ports
from cluster.processes import start_tied, wait_until
from cluster.progress import ClusterError, tail

CRDS = Path("config", "crd", "bases")
"""Where KEDA's source keeps the definitions of its kinds."""

_OPENSSL = {"openssl": "openssl"}
_ADAPTERS_LOG = "keda-adapter.log"


@dataclass(slots=True, kw_only=True)
class Keda:
    """A running KEDA, whose programs may be killed and started again.

    Attributes:
        ports: where the operator is asked, where the metrics server serves, and where that shows metrics of its own.
    """

    server: ApiServer
    folder: Path
    ports: tuple[int, int, int]
    operator: "subprocess.Popen[bytes]"
    adapter: "subprocess.Popen[bytes]"

    def kill_operator(self) -> None:
        """End the operator as a crash does: what it last said of its ScaledObjects stays."""
        self.operator.kill()
        self.operator.wait()

    def kill(self) -> None:
        """End both programs as a crash does."""
        self.kill_operator()
        self.adapter.kill()
        self.adapter.wait()

    def start(self) -> None:
        """Start what was killed."""
        if self.operator.poll() is not None:
            self.operator = _start_operator(self.server, self.folder, self.ports)
        if self.adapter.poll() is not None:
            self.adapter = _start_adapter(self.server, self.folder, self.ports)

    def stop(self) -> None:
        """End both and take the registration back."""
        metrics_api.unregister(self.server)
        self.kill()


def definitions() -> Path:
    """Return the folder of KEDA's CustomResourceDefinitions, of the version that runs."""
    return binaries.source("keda-operator") / CRDS


def start_keda(server: ApiServer) -> Keda:
    """Start one, ready when this returns; an API server has room for one, and knows its kinds already."""
    folder = server.folder / "keda"
    folder.mkdir(exist_ok=True)
    debian.ensure(_OPENSSL, log=folder / "debian.log")
    _certify(folder)
    asked, served, observed = free_ports(3)
    ports = (asked, served, observed)
    operator = _start_operator(server, folder, ports)
    adapter = _start_adapter(server, folder, ports)
    running = Keda(server=server, folder=folder, ports=ports, operator=operator, adapter=adapter)
    try:
        metrics_api.register(server, served, adapter, folder / _ADAPTERS_LOG)
    except BaseException:
        running.stop()
        raise
    return running


def _start_operator(server: ApiServer, folder: Path, ports: tuple[int, int, int]) -> "subprocess.Popen[bytes]":
    log = folder / "keda-operator.log"
    process = start_tied(
        [
            binaries.path("keda-operator"),
            *("--metrics-bind-address=0", "--health-probe-bind-address=0", f"--cert-dir={folder}"),
            f"--metrics-service-bind-address=127.0.0.1:{ports[0]}",
        ],
        log,
        _environment(server),
    )
    try:
        wait_until("KEDA's operator", 60, _started(process, log))
    except BaseException:
        process.kill()
        process.wait()
        raise
    return process


def _start_adapter(server: ApiServer, folder: Path, ports: tuple[int, int, int]) -> "subprocess.Popen[bytes]":
    asked, served, observed = ports
    return start_tied(
        [
            binaries.path("keda-adapter"),
            *(f"--{role}-kubeconfig={server.kubeconfig}" for role in ("lister", "authentication", "authorization")),
            *(f"--secure-port={served}", f"--port={observed}", f"--cert-dir={folder}"),
            *(f"--tls-cert-file={folder / 'tls.crt'}", f"--tls-private-key-file={folder / 'tls.key'}"),
            f"--metrics-service-address=127.0.0.1:{asked}",
            *metrics_api.UNAUTHENTICATED,
        ],
        folder / _ADAPTERS_LOG,
        _environment(server),
    )


def _environment(server: ApiServer) -> dict[str, str]:
    return {
        "KUBECONFIG": str(server.kubeconfig),
        "WATCH_NAMESPACE": "",
        "POD_NAMESPACE": "default",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": "default",
    }


def _started(process: "subprocess.Popen[bytes]", log: Path) -> Iterator[bool]:
    while True:
        if process.poll() is not None:
            raise ClusterError(f"{log.stem} ended; the end of {log}:\n{tail(log)}")
        yield "Starting Metrics Service gRPC Server" in log.read_text(errors="replace")


def _certify(folder: Path) -> None:
    """Make the certificate by which the two know each other, its own authority, valid for this machine."""
    if (folder / "ca.crt").exists():
        return
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=keda"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", folder / "tls.key", "-out", folder / "tls.crt"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            *("-addext", "extendedKeyUsage=serverAuth,clientAuth"),
        ],
        check=True,
        capture_output=True,
    )
    shutil.copyfile(folder / "tls.crt", folder / "ca.crt")
