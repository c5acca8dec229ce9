"""The images a cluster without a registry needs, made of what is on this machine, by images/build_oci.py."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cluster import binaries, dns
from cluster.containers import PAUSE_IMAGE
from cluster.paths import CHECKOUT, cache_folder
from cluster.progress import ClusterError, step
from engine.environment import env_path
from router.environment import ROUTER

BUSYBOX_IMAGE = "localhost/costpolicy/busybox:1"
OPERATOR_IMAGE = "localhost/costpolicy/operator:dev"

_BUILDER = CHECKOUT / "images" / "build_oci.py"
_ACCOUNTS = "root:x:0:0:root:/root:/sbin/nologin\nengine:x:1000:1000:engine:/home/engine:/sbin/nologin\n"


def small_images() -> list[Path]:
    """Build the archives of the pause container, busybox (a shell for tests) and CoreDNS, and return them."""
    busybox = Path("/bin/busybox")
    return [
        # The pause container outlives everything in its pod and does nothing; not in /bin, which is covered in
        # pods that see the host's programs.
        _single_program("pause", PAUSE_IMAGE, busybox, ["/busybox", "sleep", "2147483647"]),
        _single_program("busybox", BUSYBOX_IMAGE, busybox, []),
        _single_program("coredns", dns.IMAGE, binaries.path("coredns"), ["/coredns"]),
    ]


def operator_image() -> Path:
    """Build the operator's image from this checkout as it is now, and return the archive."""
    target = archive("operator")
    with step("building the operator's image"):
        _build("operator", "--tag", OPERATOR_IMAGE, "--output", target)
    return target


def engine_environment() -> Path | None:
    """Return the real engine's virtual environment if this machine has it (`python -m engine build`)."""
    environment = env_path()
    return environment if (environment / "bin" / "vllm").exists() else None


def environments() -> list[Path]:
    """Return the virtual environments that this machine can lend to pods: the engine's and the router's, if they are built."""
    router = [ROUTER.path()] if ROUTER.is_there() else []
    return [environment for environment in (engine_environment(), *router) if environment is not None]


def lent_image(name: str, tag: str, environment: Path) -> Path:
    """Build an image of empty folders for pods of the class `host-python`, and return the archive.

    `environment` is the virtual environment whose programs (`vllm`, `litellm`) are on the PATH; its files and the
    interpreter's come into the container by the runtime handler, so that gigabytes need not be copied.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        # The handler mounts all that is lent, whatever the image is for.
        for mount in host_folders(environment, *environments()):
            (root / mount.relative_to("/")).mkdir(parents=True, exist_ok=True)
        for name, mode in {"tmp": 0o1777, "home/engine": 0o777, "etc": 0o755, "proc": 0o755, "dev": 0o755}.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name).chmod(mode)
        (root / "etc" / "passwd").write_text(_ACCOUNTS)
        settings = {"PATH": f"{environment / 'bin'}:/usr/local/bin:/usr/bin:/bin", "HOME": "/home/engine"}
        target = archive(name)
        options = [f"--env={variable}={value}" for variable, value in settings.items()]
        _build("folder", root, "--tag", tag, "--output", target, "--user", "1000:1000", *options)
    return target


def host_folders(*environments: Path) -> list[Path]:
    """Return what a container needs to run virtual environments of this machine, each by its path here."""
    if not environments:
        return []
    system = [Path(name) for name in ("/usr", "/bin", "/lib", "/lib64") if Path(name).exists()]
    own = {folder for environment in environments for folder in _own_folders(environment)}
    return [*system, *sorted(folder for folder in own if folder.is_dir() and not folder.is_relative_to("/usr"))]


def _own_folders(environment: Path) -> set[Path]:
    python = environment / "bin" / "python"
    prefix = python.resolve().parent.parent
    named = python.readlink().parent.parent if python.is_symlink() else prefix
    return {environment, prefix, named if named.is_absolute() else prefix}


def archive(name: str) -> Path:
    """Return where the archive of an image is kept until it is built again."""
    folder = cache_folder() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.tar"


def _single_program(name: str, tag: str, program: Path, entrypoint: Sequence[str]) -> Path:
    target = archive(name)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for directory in ("tmp", "etc", "proc", "dev", "bin"):
            (root / directory).mkdir()
        copy = shutil.copy(program, root / program.name)
        Path(copy).chmod(0o755)
        (root / "bin" / "sh").symlink_to(f"/{program.name}")
        arguments = ["--entrypoint", *entrypoint] if entrypoint else []
        _build("folder", root, "--tag", tag, "--output", target, *arguments)
    return target


def _build(*arguments: str | Path) -> None:
    done = subprocess.run([sys.executable, _BUILDER, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{_BUILDER.name} {arguments[0]} failed:\n{done.stdout}{done.stderr}")
