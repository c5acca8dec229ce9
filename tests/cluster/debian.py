"""Debian packages that the cluster needs, installed when missing, their services never started."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from cluster.progress import ClusterError, run_with_heartbeat

API_SERVER = {"etcd-server": "etcd"}
"""What tests with only an API server need: Debian package -> a program of it."""

PROMETHEUS = {"prometheus": "prometheus"}

BROWSER = {"chromium": "chromium"}
"""What looks at the report."""

NODE = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "busybox-static": "/bin/busybox",
    "debootstrap": "debootstrap",
    "iproute2": "ip",
}

_POLICY = Path("/usr/sbin/policy-rc.d")
_SERVICES = ("etcd", "prometheus", "containerd")


def ensure(*wanted: dict[str, str], log: Path) -> None:
    """Install the packages whose programs are missing; ClusterError with the command to run if that cannot be."""
    missing = sorted(package for part in wanted for package, program in part.items() if not _installed(program))
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"these Debian packages are missing and there is no apt-get: {' '.join(missing)}. "
            "On other systems use the kind variant: make cluster-up CLUSTER=kind"
        )
    if os.geteuid() != 0:
        raise ClusterError(f"run this as root first: apt-get install {' '.join(missing)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        for title, arguments in (
            ("reading Debian's package lists", ["update"]),
            (f"installing {' '.join(missing)}", ["install", "--yes", "--no-install-recommends", *missing]),
        ):
            run_with_heartbeat(title, ["apt-get", *arguments], log=log, cwd=Path("/"), env=environment)
    _disable(missing)


def _installed(program: str) -> bool:
    return Path(program).exists() if program.startswith("/") else shutil.which(program) is not None


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    """Debian starts a service as it installs it, unless /usr/sbin/policy-rc.d says no (exit 101)."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _disable(packages: Iterable[str]) -> None:
    """Keep the services of freshly installed packages from starting at the next boot."""
    services = [service for service in _SERVICES if any(package.startswith(service) for package in packages)]
    if services and shutil.which("systemctl"):
        subprocess.run(["systemctl", "disable", *services], capture_output=True, check=False)
