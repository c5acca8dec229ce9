"""Tells Prometheus which pods there are, because Debian builds Prometheus without service discovery of Kubernetes.

    python -m cluster.pod_discovery RUN_FOLDER API_SERVER_URL

writes RUN_FOLDER/prometheus/pods.json once a second with the meta labels that Prometheus' own discovery gives pods, so
that relabelling rules are the usual ones.
"""

import json
import re
import ssl
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from cluster.credentials import certificate, token

_META = "__meta_kubernetes_"


def main() -> None:
    """Write the file whenever the pods have changed, until ended; an API server that is away changes nothing."""
    run, url = Path(sys.argv[1]), sys.argv[2]
    target = run / "prometheus" / "pods.json"
    written: list[dict[str, Any]] | None = None
    while True:
        try:
            found = targets(_pods(run, url))
        except OSError as error:
            print(f"cannot list pods: {error}", file=sys.stderr, flush=True)
        else:
            if found != written:
                write(target, found)
                written = found
        time.sleep(1)


def targets(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one group for each pod that has an address."""
    return [{"targets": [pod["status"]["podIP"]], "labels": _labels(pod)} for pod in pods if pod["status"].get("podIP")]


def write(target: Path, groups: list[dict[str, Any]]) -> None:
    """Replace a file of targets at once: Prometheus may read it at any moment."""
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(groups, indent=2))
    unfinished.rename(target)


def _labels(pod: dict[str, Any]) -> dict[str, str]:
    metadata = pod["metadata"]
    labels = {
        f"{_META}namespace": metadata["namespace"],
        f"{_META}pod_name": metadata["name"],
        f"{_META}pod_ip": pod["status"]["podIP"],
        f"{_META}pod_node_name": pod["spec"].get("nodeName", ""),
        f"{_META}pod_phase": pod["status"].get("phase", ""),
    }
    for kind in ("label", "annotation"):
        for name, value in (metadata.get(f"{kind}s") or {}).items():
            labels[f"{_META}pod_{kind}_{re.sub('[^a-zA-Z0-9_]', '_', name)}"] = value
    return labels


def _pods(run: Path, url: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token(run, 'prometheus')}"}
    request = urllib.request.Request(f"{url}/api/v1/pods", headers=headers)  # noqa: S310 - https
    context = ssl.create_default_context(cafile=certificate(run))
    with urllib.request.urlopen(request, timeout=5, context=context) as response:  # noqa: S310
        items: list[dict[str, Any]] = json.load(response)["items"]
    return items


if __name__ == "__main__":
    main()
