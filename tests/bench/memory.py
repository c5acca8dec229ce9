"""One process with all that an operator imports, which then reconciles 100 simulated policies; prints KiB twice.

First the resident memory after imports, then after the work.  Run by ``bench.processes``.
"""

from pathlib import Path

from bench.reconciling import reconciler_of, settled_world
from costpolicy.runtime.main import production

POLICIES = 100


def resident_kib() -> int:
    """Return this process' resident memory (proc(5), VmRSS)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def main() -> None:
    """Import, reconcile, print."""
    assert callable(production)  # what a real process imports: kopf, the Kubernetes and the Prometheus client
    imported = resident_kib()
    world = settled_world(POLICIES)
    reconciler = reconciler_of(world, world.gateway)
    for number in range(POLICIES):
        reconciler.reconcile("default", f"chat-{number:03d}")
    print(imported, resident_kib())


if __name__ == "__main__":
    main()
