"""containerd: configuration, images, and the runtime handler that lends a pod the host's programs."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from cluster.network import write_cni_configuration
from cluster.processes import Owner, wait_until
from cluster.progress import ClusterError

PAUSE_IMAGE = "localhost/costpolicy/pause:1"
HOST_PYTHON = "host-python"
"""Runtime handler and RuntimeClass whose containers see the host's /usr and a Python environment, read-only."""

_CONFIGURATION = """\
version = 2
root = "{run}/containerd/root"
state = "{run}/containerd/state"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE no container may get a lower out-of-memory score than we have.
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
    runtime_type = "io.containerd.runc.v2"
    base_runtime_spec = "{specification}"
"""


def socket(run: Path) -> Path:
    """Return where containerd listens."""
    return run / "containerd.sock"


def start_containerd(owner: Owner, run: Path, host_folders: Sequence[Path]) -> None:
    """Start containerd with a root of its own; pods of the class `host-python` see `host_folders` as well."""
    specification = run / "host-python.json"
    specification.write_text(json.dumps(_host_specification(host_folders), indent=2))
    configuration = run / "containerd.toml"
    configuration.write_text(
        _CONFIGURATION.format(
            run=run,
            socket=socket(run),
            pause=PAUSE_IMAGE,
            cni=write_cni_configuration(run),
            handler=HOST_PYTHON,
            specification=specification,
        )
    )
    owner.start("containerd", ["containerd", "--config", configuration])
    wait_until("containerd", 30, _answers(owner, run))


def import_image(run: Path, archive: Path) -> None:
    """Put an image archive (OCI or `docker save`) where the kubelet finds it; ClusterError if it is refused."""
    done = subprocess.run([*_ctr(run), "images", "import", archive], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"containerd refused {archive}: {done.stderr.strip()}")


def _host_specification(folders: Sequence[Path]) -> dict[str, object]:
    """Return containerd's own default specification with read-only binds of the host's programs added.

    The kubelet never hears of these mounts, so a pod of this class needs no hostPath volume and passes the
    restricted pod security standard; in a real cluster its image would hold the same files.
    """
    printed = subprocess.run(["ctr", "oci", "spec"], capture_output=True, text=True, check=True).stdout
    specification: dict[str, object] = json.loads(printed)
    mounts = specification["mounts"]
    process = specification["process"]
    if not isinstance(mounts, list) or not isinstance(process, dict):
        raise ClusterError("`ctr oci spec` printed something else than a runtime specification")
    process.pop("rlimits", None)  # as without a base specification: inherited from containerd
    mounts.extend(
        {"destination": str(folder), "type": "bind", "source": str(folder), "options": ["rbind", "ro"]}
        for folder in folders
    )
    return specification


def _answers(owner: Owner, run: Path) -> Iterator[bool]:
    while True:
        owner.require("containerd")
        yield subprocess.run([*_ctr(run), "version"], capture_output=True, check=False).returncode == 0


def _ctr(run: Path) -> list[str]:
    return ["ctr", "--address", str(socket(run)), "--namespace", "k8s.io"]
