"""etcd and kube-apiserver: how they are started, and the light variant for tests that need no pods."""

import os
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries, debian
from cluster.credentials import certificate, token, write_kubeconfig, write_tokens
from cluster.processes import start_tied, wait_until
from cluster.progress import ClusterError, tail

SERVICE_NETWORK = "10.96.0.0/16"
DNS_ADDRESS = "10.96.0.10"


def etcd_command(folder: Path, client_port: int, peer_port: int) -> list[str | Path]:
    """Return the command of an etcd that may lose data in a power cut: tests need speed, not durability."""
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    return [
        *("etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync", "--log-level=warn", "--name=default"),
        *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
        *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
        f"--initial-cluster=default={peer}",
    ]


def api_server_command(folder: Path, address: str, port: int, etcd_port: int) -> list[str | Path]:
    """Return the command of kube-apiserver; it makes its own certificate, whose key also signs service accounts."""
    key = folder / "certificates" / "apiserver.key"
    return [
        binaries.path("kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        *(f"--bind-address={address}", f"--advertise-address={address}", f"--secure-port={port}"),
        f"--cert-dir={key.parent}",
        *(f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}"),
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--token-auth-file={folder / 'tokens.csv'}",
        *("--authorization-mode=Node,RBAC", "--allow-privileged=true"),
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--kubelet-preferred-address-types=InternalIP",
        # Debian's etcd is older than progress notifications on request; clients would ask for such streams for ever.
        "--feature-gates=WatchList=false",
        # A loopback address cannot be an endpoint of the Service `kubernetes`; nobody needs it there.
        *(["--endpoint-reconciler-type=none"] if address == "127.0.0.1" else []),
    ]


def controller_manager_command(folder: Path, kubeconfig: Path) -> list[str | Path]:
    """Return the command of kube-controller-manager with every default controller and no port of its own."""
    return [
        binaries.path("kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        *("--leader-elect=false", "--secure-port=0", "--use-service-account-credentials=true"),
        f"--service-account-private-key-file={folder / 'certificates' / 'apiserver.key'}",
        f"--root-ca-file={certificate(folder)}",
        # The default is 15 s; nobody here has so much to scale that it would cost anything.
        "--horizontal-pod-autoscaler-sync-period=2s",
    ]


def scheduler_command(kubeconfig: Path) -> list[str | Path]:
    """Return the command of kube-scheduler, with no port of its own."""
    return [
        binaries.path("kube-scheduler"),
        *(f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"),
    ]


def is_ready(folder: Path, url: str) -> bool:
    """Tell whether the API server of this folder says of itself that it is ready."""
    if not certificate(folder).exists():
        return False
    request = urllib.request.Request(f"{url}/readyz", headers=_authorization(folder))  # noqa: S310 - https
    try:
        context = ssl.create_default_context(cafile=certificate(folder))
        with urllib.request.urlopen(request, timeout=2, context=context) as response:  # noqa: S310
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def free_ports(count: int) -> tuple[int, ...]:
    """Return ports of 127.0.0.1 that nobody listened on a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = tuple(each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    return ports


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServer:
    """A running API server without nodes: `kubeconfig` is the administrator's."""

    folder: Path
    url: str
    kubeconfig: Path
    processes: tuple["subprocess.Popen[bytes]", ...]

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run kubectl as the administrator and return what it prints; ClusterError with its message if it fails."""
        return run_client("kubectl", self.kubeconfig, arguments, input)

    def stop(self) -> None:
        """End its processes; nothing in its folder is worth keeping, so nothing is asked to save anything."""
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def start_api_server(folder: Path, *, controllers: bool = False) -> ApiServer:
    """Start etcd and kube-apiserver on free ports of 127.0.0.1, any number at once, ready when this returns.

    `folder` must be empty and private to it. With `controllers` kube-controller-manager runs too (garbage
    collection, Deployments, default service accounts). Call this from the main thread: should this program be
    killed, the kernel ends what it started.
    """
    debian.ensure(debian.API_SERVER, log=folder / "debian.log")
    folder.mkdir(parents=True, exist_ok=True)
    write_tokens(folder)
    etcd_port, peer_port, port = free_ports(3)
    url = f"https://127.0.0.1:{port}"
    commands = [etcd_command(folder, etcd_port, peer_port), api_server_command(folder, "127.0.0.1", port, etcd_port)]
    processes = [_spawn(command, folder) for command in commands]
    try:
        wait_until("kube-apiserver", 60, _readiness(folder, url, processes))
        kubeconfig = write_kubeconfig(folder, "admin", url)
        if controllers:
            own = write_kubeconfig(folder, "kube-controller-manager", url)
            processes.append(_spawn(controller_manager_command(folder, own), folder))
            wait_until("kube-controller-manager", 60, _first_work_done(kubeconfig))
    except BaseException:
        ApiServer(folder=folder, url=url, kubeconfig=folder, processes=tuple(processes)).stop()
        raise
    return ApiServer(folder=folder, url=url, kubeconfig=kubeconfig, processes=tuple(processes))


def run_client(program: str, kubeconfig: Path, arguments: Sequence[str], text: str | None = None) -> str:
    """Run kubectl or helm against a cluster, `text` on its standard input, and return its standard output."""
    environment = os.environ | {"KUBECONFIG": str(kubeconfig)}
    done = subprocess.run(
        [binaries.client(program), *arguments],
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shown = " ".join(arguments)
        raise ClusterError(f"{program} {shown} failed ({done.returncode}): {done.stderr or done.stdout}")
    return done.stdout


def _readiness(folder: Path, url: str, processes: Sequence["subprocess.Popen[bytes]"]) -> Iterator[bool]:
    while True:
        for process in processes:
            if process.poll() is not None:
                log = _log(folder, process.args)
                raise ClusterError(f"{log.stem} ended; the end of {log}:\n{tail(log)}")
        yield is_ready(folder, url)


def _first_work_done(kubeconfig: Path) -> Iterator[bool]:
    """Yield whether the namespace `default` has its service account, without which no pod is accepted."""
    while True:
        names = run_client("kubectl", kubeconfig, ["get", "serviceaccount", "-n", "default", "-o", "name"])
        yield "serviceaccount/default" in names


def _spawn(command: Sequence[str | Path], folder: Path) -> "subprocess.Popen[bytes]":
    return start_tied(command, _log(folder, command))


def _log(folder: Path, command: object) -> Path:
    parts = [str(part) for part in command] if isinstance(command, list | tuple) else []
    names = [Path(part).name for part in parts if not part.startswith("-")]
    known = ("etcd", "kube-apiserver", "kube-controller-manager")
    return folder / f"{next(name for name in names if name in known)}.log"


def _authorization(folder: Path) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(folder, 'admin')}"}
