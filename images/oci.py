"""Writes container images as OCI layout archives (github.com/opencontainers/image-spec), with no container engine.

What could differ between two runs (times, owners, order) is fixed, so equal folders give equal digests.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: an uncompressed tar file and its digest (of an uncompressed layer both digests are one)."""

    path: Path
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a container of the image is run."""

    entrypoint: Sequence[str] = ()
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_directory: str = "/"


def write_layer(root: Path, target: Path, *, keep_times: bool = False) -> Layer:
    """Pack a folder into a layer; everything belongs to root and, unless times are kept, has none."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.dereference = False
        for path in sorted(root.rglob("*")):
            if not (path.is_symlink() or path.is_file() or path.is_dir()):
                continue  # sockets and device files have no place in an image
            entry = archive.gettarinfo(path, str(path.relative_to(root)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            entry.mtime = int(entry.mtime) if keep_times else 0
            if entry.isreg():
                with path.open("rb") as content:
                    archive.addfile(entry, content)
            else:
                archive.addfile(entry)
    unfinished.rename(target)
    return read_layer(target)


def read_layer(path: Path) -> Layer:
    """Describe a layer that was written before."""
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Layer(path=path, digest=digest, size=path.stat().st_size)


def write_image(target: Path, tag: str, layers: Sequence[Layer], run: Run) -> None:
    """Write an archive that `ctr images import`, `docker load` and `kind load image-archive` take."""
    config = _json(_configuration(layers, run))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [
                {"mediaType": _LAYER, "digest": f"sha256:{layer.digest}", "size": layer.size} for layer in layers
            ],
        }
    )
    names = {"io.containerd.image.name": tag, "org.opencontainers.image.ref.name": tag.rpartition(":")[2]}
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [_descriptor(_MANIFEST, manifest) | {"annotations": names}],
    }
    unfinished = target.with_name(f".{target.name}.unfinished")
    with tarfile.open(unfinished, "w") as archive:
        _add(archive, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        for blob in (config, manifest):
            _add(archive, f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}", blob)
        for digest, layer in {layer.digest: layer for layer in layers}.items():
            entry = tarfile.TarInfo(f"blobs/sha256/{digest}")
            entry.size = layer.size
            with layer.path.open("rb") as content:
                archive.addfile(entry, content)
        _add(archive, "index.json", _json(index))
    unfinished.rename(target)


def _configuration(layers: Sequence[Layer], run: Run) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(run.entrypoint),
            "Cmd": list(run.command),
            "Env": [f"{name}={value}" for name, value in run.environment.items()],
            "User": run.user,
            "WorkingDir": run.working_directory,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.digest}" for layer in layers]},
    }


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "size": len(content),
    }


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
