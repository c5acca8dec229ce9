"""The bridge where pods, kubelet and API server meet, and how everything it brought is taken away again."""

import ipaddress
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cluster.progress import ClusterError

BRIDGE = "costpolicy0"
ADDRESS = "10.88.0.1"
POD_NETWORK = "10.88.0.0/24"
CNI_NETWORK = "costpolicy"

_SYSCTLS = ("net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables")
_CNI_RESULTS = Path("/var/lib/cni/results")


def create_bridge(folder: Path) -> None:
    """Create the bridge and let packets pass it; what the settings were is kept in `folder` for `remove_bridge`."""
    _refuse_overlap()
    for module in ("br_netfilter", "overlay"):
        if shutil.which("modprobe"):  # built in, a module, or absent: the next lines find out
            subprocess.run(["modprobe", module], capture_output=True, check=False)
    saved = folder / "sysctls.json"
    paths = [path for path in _SYSCTLS if Path("/proc/sys", path).exists()]
    saved.write_text(json.dumps({path: Path("/proc/sys", path).read_text().strip() for path in paths}))
    for path in paths:
        Path("/proc/sys", path).write_text("1")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("address", "add", f"{ADDRESS}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")


def remove_bridge(folder: Path) -> None:
    """Remove the bridge, kube-proxy's rules and the CNI's notes, and put the kernel's settings back; idempotent."""
    subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True, check=False)
    for leftover in _CNI_RESULTS.glob(f"{CNI_NETWORK}-*"):
        leftover.unlink(missing_ok=True)
    saved = folder / "sysctls.json"
    if saved.exists():
        for path, value in json.loads(saved.read_text()).items():
            Path("/proc/sys", path).write_text(value)
        for program in ("iptables", "ip6tables"):
            _remove_proxy_rules(program)


def write_cni_configuration(folder: Path) -> Path:
    """Write the network that containerd puts pods on, and return the folder it lies in."""
    configuration = {
        "cniVersion": "0.4.0",
        "name": CNI_NETWORK,
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                "hairpinMode": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(folder / "addresses"),
                    "ranges": [[{"subnet": POD_NETWORK, "rangeStart": "10.88.0.10"}]],
                    # Without a default route no pod reaches the address of a Service.
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    target = folder / "cni" / "10-costpolicy.conflist"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(configuration, indent=2))
    return target.parent


def _refuse_overlap() -> None:
    """Raise ClusterError if another interface (podman's bridge, say) already has addresses of the pods' network."""
    shown = subprocess.run(["ip", "-json", "address"], capture_output=True, text=True, check=True).stdout
    pods = ipaddress.ip_network(POD_NETWORK)
    for link in json.loads(shown):
        for entry in link.get("addr_info", ()):
            network = ipaddress.ip_interface(f"{entry['local']}/{entry['prefixlen']}").network
            if link["ifname"] != BRIDGE and network.version == 4 and network.overlaps(pods):
                raise ClusterError(
                    f"{link['ifname']} already uses {network}, which overlaps the pods' {pods}; "
                    f"take it down (ip link delete {link['ifname']}) or use CLUSTER=kind"
                )


def _remove_proxy_rules(program: str) -> None:
    """Load the rules again without kube-proxy's and the kubelet's, all of whose chains are named KUBE-something."""
    saved = subprocess.run([f"{program}-save"], capture_output=True, text=True, check=False).stdout
    kept = [line for line in saved.splitlines() if "KUBE-" not in line]
    if len(kept) < len(saved.splitlines()):
        rules = "\n".join(kept) + "\n"
        subprocess.run([f"{program}-restore"], input=rules, text=True, capture_output=True, check=False)


def _ip(*arguments: str) -> None:
    command: Sequence[str] = ("ip", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")
