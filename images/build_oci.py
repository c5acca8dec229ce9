"""Builds images as OCI archives on a machine without a container engine.

    python images/build_oci.py operator --output operator.tar
    python images/build_oci.py folder ROOT --tag NAME:TAG --output image.tar --entrypoint /program ...

`operator` gives the file system of images/operator/Dockerfile in three layers: Debian with Python (kept in the cache
folder), the dependencies (kept by the hash of requirements/operator.txt), and the package itself (made every time,
in seconds). It needs root and debootstrap the first time.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from debian_root import SUITE, base_layer
from oci import Layer, Run, read_layer, write_image, write_layer

CHECKOUT = Path(__file__).resolve().parent.parent
OPERATOR_TAG = "localhost/costpolicy/operator:dev"
HOME = Path("opt/costpolicy")
PYTHON = "3.11"  # of Debian 12

OPERATOR_RUN = Run(
    entrypoint=("/usr/bin/python3", "-m", "costpolicy.runtime"),
    environment={
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": f"/{HOME}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    },
    user="65532:65532",
)


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and write the image it asks for."""
    options = _parser().parse_args(arguments)
    if options.kind == "operator":
        cache = cache_folder()
        layers = [base_layer(cache), dependency_layer(cache), application_layer(cache)]
        write_image(options.output, options.tag, layers, OPERATOR_RUN)
    else:
        environment = dict(assignment.split("=", 1) for assignment in options.env)
        run = Run(entrypoint=options.entrypoint, environment=environment, user=options.user)
        with tempfile.TemporaryDirectory() as folder:
            layer = write_layer(options.root, Path(folder) / "layer.tar")
            write_image(options.output, options.tag, [layer], run)


def cache_folder() -> Path:
    """Return the folder of layers that are worth keeping."""
    value = os.environ.get("XDG_CACHE_HOME", "")
    cache = (Path(value) if value.startswith("/") else Path.home() / ".cache") / "costpolicy" / "images"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


def dependency_layer(cache: Path) -> Layer:
    """Return the layer with everything in requirements/operator.txt, its hashes checked by pip."""
    requirements = CHECKOUT / "requirements" / "operator.txt"
    recipe = f"1 {PYTHON} {SUITE}".encode() + requirements.read_bytes()
    target = cache / f"dependencies-{hashlib.sha256(recipe).hexdigest()[:12]}.tar"
    if target.exists():
        return read_layer(target)
    print("installing the operator's dependencies: once per requirements/operator.txt", flush=True)
    # Wheels for the image's interpreter, whatever runs this script.
    platform = ["--platform=manylinux_2_28_x86_64", "--platform=manylinux2014_x86_64"]
    chosen = [f"--python-version={PYTHON}", "--implementation=cp", *platform, "--only-binary=:all:"]
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        root = Path(folder) / "root"
        _pip(cache, "install", "--require-hashes", "--no-deps", *chosen, *_into(root), f"-r{requirements}")
        _finish(root)
        return write_layer(root, target)


def application_layer(cache: Path) -> Layer:
    """Return the layer with the package, built from this checkout as it is now."""
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        # A copy, because setuptools leaves a `build` folder whose stale files would enter the next wheel.
        source, root = Path(folder) / "source", Path(folder) / "root"
        source.mkdir()
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            if (CHECKOUT / name).exists():
                shutil.copy(CHECKOUT / name, source)
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(CHECKOUT / "operator", source / "operator", ignore=ignored)
        wheels = Path(folder) / "wheels"
        _pip(cache, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={wheels}", str(source))
        _pip(cache, "install", "--no-deps", *_into(root), *map(str, wheels.glob("*.whl")))
        _finish(root)
        return write_layer(root, cache / "application.tar")


def _into(root: Path) -> list[str]:
    return ["--no-compile", "--ignore-installed", f"--target={root / HOME}"]


def _finish(root: Path) -> None:
    """Drop console scripts (they name this machine's interpreter) and compile if the interpreter is the image's.

    Byte code is marked as valid without looking at the source, because layers carry no times. Another version's byte
    code would never be read, so then there is none and the operator starts a few seconds later.
    """
    shutil.rmtree(root / HOME / "bin", ignore_errors=True)
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        subprocess.run([*command, "-s", root, "-p", "/", root / HOME], check=True)


def _pip(cache: Path, *arguments: str) -> None:
    """Run a pip that is neither the project's (an environment made by uv has none) nor the system's."""
    home = cache / f"pip-{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin" / "python"
    if not (home / ".complete").exists():
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "setuptools>=77", "wheel"], check=True)
        (home / ".complete").touch()
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"pip {arguments[0]} failed:\n{done.stdout}{done.stderr}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    operator = kinds.add_parser("operator", help="the operator from this checkout")
    operator.add_argument("--tag", default=OPERATOR_TAG)
    folder = kinds.add_parser("folder", help="one folder as a single layer")
    folder.add_argument("root", type=Path)
    folder.add_argument("--tag", required=True)
    folder.add_argument("--entrypoint", nargs="+", default=[])
    folder.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    folder.add_argument("--user", default="")
    for kind in (operator, folder):
        kind.add_argument("--output", type=Path, required=True)
    return parser


if __name__ == "__main__":
    main()
