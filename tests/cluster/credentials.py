"""Who may talk to the API server: static tokens, and the kubeconfig files that carry them."""

import secrets
from collections.abc import Mapping
from pathlib import Path

import yaml

NODE = "real-1"

IDENTITIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("admin", ("system:masters",)),
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "kube-proxy": ("system:kube-proxy", ()),
    "kubelet": (f"system:node:{NODE}", ("system:nodes",)),
    "kwok": ("kwok", ("system:masters",)),
    "prometheus": ("prometheus", ("costpolicy:monitoring",)),
}
"""Who a program is to the API server: user, groups; the roles of `system:` users are Kubernetes's own."""


def write_tokens(folder: Path) -> None:
    """Write a fresh token for each identity into `tokens.csv`, in the form of --token-auth-file."""
    lines = []
    for uid, (user, groups) in enumerate(IDENTITIES.values()):
        row = f"{secrets.token_hex(16)},{user},{uid}"
        lines.append(row + (f',"{",".join(groups)}"' if groups else ""))
    target = folder / "tokens.csv"
    target.touch(mode=0o600)
    target.write_text("\n".join(lines) + "\n")


def token(folder: Path, identity: str) -> str:
    """Return the token of an identity."""
    user, _ = IDENTITIES[identity]
    rows = (line.split(",") for line in (folder / "tokens.csv").read_text().splitlines())
    return next(row[0] for row in rows if row[1] == user)


def write_kubeconfig(folder: Path, identity: str, url: str) -> Path:
    """Write and return `<identity>.kubeconfig`."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "costpolicy",
        "clusters": [
            {
                "name": "costpolicy",
                "cluster": {"server": url, "certificate-authority": str(certificate(folder))},
            }
        ],
        "users": [{"name": identity, "user": {"token": token(folder, identity)}}],
        "contexts": [{"name": "costpolicy", "context": {"cluster": "costpolicy", "user": identity}}],
    }
    target = folder / f"{identity}.kubeconfig"
    target.touch(mode=0o600)
    target.write_text(yaml.safe_dump(config, sort_keys=False))
    return target


def certificate(folder: Path) -> Path:
    """Return the certificate that kube-apiserver makes for itself, with the authority that signed it."""
    return folder / "certificates" / "apiserver.crt"
