"""What rings of tests need on this machine besides the chosen cluster, for machines that are not Debian.

Debian gets all of it by `make build`; on a laptop with kind some of it may be there, and what is not is named.
"""

import shutil
from collections.abc import Callable, Mapping

from cluster import binaries
from cluster.images import engine_environment
from cluster.progress import ClusterError
from router.environment import ROUTER

_API_SERVER = ("etcd", "kube-apiserver", "kubectl")

NEEDS: Mapping[str, tuple[str, ...]] = {
    "contract": ("prometheus", "promtool", "the CPU engine's environment", "the router's environment"),
    "integration": (*_API_SERVER, "helm", "kwok", "external-metrics"),
    "chart": (*_API_SERVER, "helm"),
    "browser": ("chromium",),
    "docs": _API_SERVER,
}
"""Ring -> programs of this machine: tests of these rings start their own API servers, Prometheus and engines."""


def lacking(ring: str) -> list[str]:
    """Return what a ring needs and this machine has not; empty for rings that need nothing."""
    return [name for name in NEEDS.get(ring, ()) if not _is_there(name)]


def _is_there(name: str) -> bool:
    match name:
        case "kube-apiserver" | "kwok" | "external-metrics":
            return _succeeds(lambda: binaries.path(name))
        case "kubectl" | "helm":
            return _succeeds(lambda: binaries.client(name))
        case "the CPU engine's environment":
            return engine_environment() is not None
        case "the router's environment":
            return ROUTER.is_there()
        case _:
            return shutil.which(name) is not None


def _succeeds(look: Callable[[], object]) -> bool:
    try:
        look()
    except ClusterError:
        return False
    return True
