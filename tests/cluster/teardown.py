"""Takes a cluster away, in whatever state a run that was killed has left it."""

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

from cluster.network import remove_bridge
from cluster.node import CGROUP
from cluster.processes import Owner, end, process_ids

_FIRST = ("kubelet", "kwok", "prometheus")
"""Ended first: what would start containers again, or write while its target goes away."""


def tear_down(owner: Owner, run: Path) -> None:
    """End every process, unmount, remove network and files; does nothing where there is nothing."""
    living = owner.living()
    end([process.pid for process in living if process.name in _FIRST], 2.0)
    # Containers do not carry the mark, their control group tells whose they are; then containerd and its shims.
    _end_containers()
    end([process.pid for process in owner.living()], 3.0)
    _end_containers()
    _unmount_below(run)
    _remove_control_groups()
    remove_bridge(run)
    if run.exists():
        shutil.rmtree(run)


def _end_containers() -> None:
    end([pid for pid in process_ids() if _is_contained(pid)], 0)


def _is_contained(pid: int) -> bool:
    """Tell whether a process is in a container of ours; lines are `number:controllers:path` in both versions."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        return any(line.split(":", 2)[2].startswith(f"{CGROUP}/") for line in lines)
    return False


def _unmount_below(folder: Path) -> None:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # Field 5 is the mount point, spaces written as \040; the newest mounts are last.
    points = [line.split()[4].replace("\\040", " ") for line in lines]
    for point in reversed(points):
        if Path(point).is_relative_to(folder):
            subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)


def _remove_control_groups() -> None:
    """Remove the empty groups of our containers from every hierarchy; the kernel may need a moment to empty them."""
    hierarchies = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*")]
    tops = [top for top in (each / CGROUP.lstrip("/") for each in hierarchies) if top.is_dir()]
    for _ in range(50):
        for top in tops:
            groups = [path for path in top.rglob("*") if path.is_dir()]
            for group in [*sorted(groups, reverse=True), top]:
                with contextlib.suppress(OSError):
                    group.rmdir()
        tops = [top for top in tops if top.is_dir()]
        if not tops:
            return
        time.sleep(0.1)
