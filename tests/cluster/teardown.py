"""Takes a cluster away, in whatever state a run that was killed has left it."""

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

from cluster.network import remove_bridge
from cluster.processes import Owner, end, process_ids

_CGROUP = "k8s.io"
"""Where containerd puts containers of a kubelet that manages no control groups: a group named as its namespace."""

_FIRST = ("kubelet", "kwok", "prometheus", "pod-discovery")
"""Ended first: what would start containers again, or write while its target goes away."""


def tear_down(owner: Owner, run: Path) -> None:
    """End every process, unmount, remove network and files; does nothing where there is nothing."""
    living = owner.living()
    end([process.pid for process in living if process.name in _FIRST], 2.0)
    # Containers do not carry the mark, their root file system tells whose they are; then containerd and its shims.
    _end_containers(run)
    end([process.pid for process in owner.living()], 3.0)
    _end_containers(run)
    _unmount_below(run)
    _remove_control_groups()
    remove_bridge(run)
    if run.exists():
        shutil.rmtree(run)


def _end_containers(run: Path) -> None:
    end([pid for pid in process_ids() if _is_contained(pid, run)], 0)


def _is_contained(pid: int, run: Path) -> bool:
    """Tell whether a process is in a container of ours: its root is an overlay over files of our containerd."""
    with contextlib.suppress(OSError):
        mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
        return any(mount[4] == "/" and f"={run}/containerd/" in mount[-1] for mount in mounts)
    return False


def _unmount_below(folder: Path) -> None:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # Field 5 is the mount point, spaces written as \040; the newest mounts are last.
    points = [line.split()[4].replace("\\040", " ") for line in lines]
    for point in reversed(points):
        if Path(point).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def _remove_control_groups() -> None:
    """Remove groups without processes from every hierarchy; the kernel may need a moment to empty ours."""
    hierarchies = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*")]
    tops = [top for top in (each / _CGROUP for each in hierarchies) if top.is_dir()]
    for _ in range(20):
        for top in tops:
            groups = [path for path in top.rglob("*") if path.is_dir()]
            for group in [*sorted(groups, reverse=True), top]:
                with contextlib.suppress(OSError):
                    group.rmdir()
        tops = [top for top in tops if top.is_dir()]
        if not tops:
            return
        time.sleep(0.1)
