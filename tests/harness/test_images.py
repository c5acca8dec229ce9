"""Covers the archives that images/build_oci.py writes. Not covered: that containerd takes them (e2e ring)."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cluster.images import host_folders

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "program").write_text("#!/bin/sh\n")
    (folder / "bin" / "program").chmod(0o755)
    (folder / "bin" / "sh").symlink_to("program")
    return folder


def build(root: Path, target: Path) -> dict[str, bytes]:
    command = [sys.executable, CHECKOUT / "images" / "build_oci.py", "folder", root, "--output", target]
    options = ["--tag", "localhost/test:1", "--entrypoint", "/bin/program", "--user=1000", "--env", "A=b=c"]
    subprocess.run([*command, *options], check=True)
    with tarfile.open(target) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def blob(files: dict[str, bytes], descriptor: dict) -> bytes:
    return files[f"blobs/{descriptor['digest'].replace(':', '/')}"]


def test_every_blob_is_named_by_its_digest_and_as_long_as_its_descriptor_says(root, tmp_path):
    files = build(root, tmp_path / "image.tar")
    manifest_descriptor = json.loads(files["index.json"])["manifests"][0]
    manifest = json.loads(blob(files, manifest_descriptor))

    for descriptor in (manifest_descriptor, manifest["config"], *manifest["layers"]):
        content = blob(files, descriptor)
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == descriptor["digest"]
        assert len(content) == descriptor["size"]


def test_the_image_runs_what_it_was_told_to_run(root, tmp_path):
    files = build(root, tmp_path / "image.tar")
    index = json.loads(files["index.json"])["manifests"][0]
    config = json.loads(blob(files, json.loads(blob(files, index))["config"]))

    assert index["annotations"]["io.containerd.image.name"] == "localhost/test:1"
    assert config["config"]["Entrypoint"] == ["/bin/program"]
    assert config["config"]["User"] == "1000"
    assert config["config"]["Env"] == ["A=b=c"]


def test_files_keep_modes_and_links_and_belong_to_root(root, tmp_path):
    files = build(root, tmp_path / "image.tar")
    manifest = json.loads(blob(files, json.loads(files["index.json"])["manifests"][0]))
    with tarfile.open(fileobj=io.BytesIO(blob(files, manifest["layers"][0]))) as layer:
        entries = {entry.name: entry for entry in layer}

    assert entries["bin/program"].mode & 0o777 == 0o755
    assert entries["bin/sh"].linkname == "program"
    assert {(entry.uid, entry.gid) for entry in entries.values()} == {(0, 0)}


def test_equal_folders_give_equal_archives(root, tmp_path):
    build(root, tmp_path / "first.tar")
    (root / "bin" / "program").touch()
    build(root, tmp_path / "second.tar")

    assert (tmp_path / "first.tar").read_bytes() == (tmp_path / "second.tar").read_bytes()


def test_a_container_that_borrows_an_environment_sees_its_interpreter_too(tmp_path):
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(Path(sys.base_prefix) / "bin" / "python3")

    folders = host_folders(environment)

    assert environment in folders
    assert Path("/usr") in folders
    interpreter = (environment / "bin" / "python").resolve()
    assert any(interpreter.is_relative_to(folder) for folder in folders)
