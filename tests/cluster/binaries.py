"""Programs built from source with Go, once, into the user's cache folder.

Every version is pinned by a committed `go.mod`, and `go.sum` verifies what was downloaded, so that no release
archive has to be fetched or trusted. Each program lands by a rename: a build that was interrupted leaves the
finished ones, and Go's own cache makes the rest go on where it stopped. A program's folder is named by what it is
made of, so that checkouts of different versions do not disturb each other.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.paths import HERE, cache_folder
from cluster.progress import ClusterError, run_with_heartbeat, say

KUBERNETES_VERSION = "1.36.3"
HELM_VERSION = "4.3.1"
KUBECONFORM_VERSION = "0.8.0"
KWOK_VERSION = "0.8.0"
COREDNS_VERSION = "1.15.0"
CUSTOM_METRICS_VERSION = "1.36.0"
KEDA_VERSION = "2.21.0"

_VERSION_VARIABLES = "k8s.io/component-base/version"
_COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One Go program: the module that pins it, its package, the variables set at link time, names it answers to.

    What is `rare` is built only when it is named: `make test-long` needs it, and it takes as long as all the rest.
    """

    name: str
    module: Path
    package: str
    variables: Mapping[str, str]
    aliases: tuple[str, ...] = ()
    rare: bool = False


PROGRAMS = {
    program.name: program
    for program in (
        Program(
            name="kubernetes",
            module=HERE / "kubernetes",
            package=".",
            variables={
                f"{_VERSION_VARIABLES}.gitVersion": f"v{KUBERNETES_VERSION}",
                f"{_VERSION_VARIABLES}.gitMajor": KUBERNETES_VERSION.split(".", maxsplit=1)[0],
                f"{_VERSION_VARIABLES}.gitMinor": KUBERNETES_VERSION.split(".")[1],
            },
            aliases=_COMPONENTS,
        ),
        Program(name="kwok", module=HERE / "kwok", package="sigs.k8s.io/kwok/cmd/kwok", variables={}),
        Program(
            name="helm",
            module=HERE / "tools",
            package="helm.sh/helm/v4/cmd/helm",
            variables={"helm.sh/helm/v4/internal/version.version": f"v{HELM_VERSION}"},
        ),
        Program(
            name="kubeconform",
            module=HERE / "tools",
            package="github.com/yannh/kubeconform/cmd/kubeconform",
            variables={"main.version": KUBECONFORM_VERSION},
        ),
        Program(name="coredns", module=HERE / "tools", package="./coredns", variables={}),
        Program(name="external-metrics", module=HERE / "metrics", package=".", variables={}),
        *(
            Program(
                name=f"keda-{part}",
                module=HERE / "keda",
                package=f"github.com/kedacore/keda/v2/cmd/{part}",
                variables={"github.com/kedacore/keda/v2/version.Version": KEDA_VERSION},
                rare=True,
            )
            for part in ("operator", "adapter")
        ),
    )
}
EVERYDAY = tuple(name for name, program in PROGRAMS.items() if not program.rare)


def folder(program: Program) -> Path:
    """Return the cache folder that belongs to exactly these sources, versions and flags of one program."""
    digest = hashlib.sha256(repr((program.package, sorted(program.variables.items()))).encode())
    for source in sorted(program.module.rglob("*")):
        if source.is_file():
            digest.update(str(source.relative_to(HERE)).encode() + b"\0" + source.read_bytes() + b"\0")
    return cache_folder() / f"bin-{digest.hexdigest()[:12]}"


def path(name: str) -> Path:
    """Return where a program or a component of one is, once `build` has made it; ClusterError if it has not."""
    program = next(each for each in PROGRAMS.values() if name in (each.name, *each.aliases))
    found = folder(program) / name
    if not found.exists():
        how = f"`make test-long` builds it (or `python -m cluster build {program.name}`)"
        raise ClusterError(f"{name} is not built yet: {how if program.rare else 'run `make build`'}")
    return found


def source(name: str) -> Path:
    """Return the folder with the source of the module that a program comes from, fetched where it is missing."""
    program = PROGRAMS[name]
    command = [_go(), "list", "-f", "{{.Module.Dir}}", program.package]
    done = subprocess.run(command, cwd=program.module, env=_environment(), check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def client(name: str) -> Path:
    """Return kubectl or helm: the one built here, or on machines that build none (kind) the user's own."""
    try:
        return path(name)
    except ClusterError:
        found = shutil.which(name)
        if found is None:
            raise
        return Path(found)


def build(names: Iterable[str] = EVERYDAY) -> None:
    """Build what is missing of `names`, one build at a time on this machine."""
    missing = [PROGRAMS[name] for name in names if not _is_built(PROGRAMS[name])]
    if not missing:
        return
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "build.lock").open("w") as lock:
        _wait_for(lock.fileno())
        for program in missing:
            _build(program)


def _is_built(program: Program) -> bool:
    return all((folder(program) / name).exists() for name in (program.name, *program.aliases))


def _build(program: Program) -> None:
    target = folder(program)
    target.mkdir(exist_ok=True)
    # Perhaps another process has built it while this one waited.
    if not (target / program.name).exists():
        unfinished = target / f".{program.name}.unfinished"
        variables = " ".join(f"-X {name}={value}" for name, value in sorted(program.variables.items()))
        run_with_heartbeat(
            f"building {program.name} (minutes, once)",
            [
                *(_go(), "build", "-trimpath", "-ldflags", f"-s -w {variables}"),
                *("-o", unfinished, program.package),
            ],
            log=target / f"{program.name}.log",
            cwd=program.module,
            env=_environment(),
        )
        unfinished.rename(target / program.name)
    for alias in program.aliases:
        link = target / alias
        if not link.is_symlink():
            link.symlink_to(program.name)


def _environment() -> dict[str, str]:
    # The user's flags must not change what is built; the committed go.sum must not change either.
    return os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def _go() -> str:
    found = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if found is None:
        raise ClusterError("Go 1.26 or newer is needed to build the cluster's programs; see the README")
    version = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    numbers = version.strip().removeprefix("go").split(".")[:2]
    # Since 1.21 Go fetches the toolchain that go.mod asks for by itself.
    if tuple(map(int, numbers)) < (1, 21):
        raise ClusterError(f"Go 1.26 or newer is needed to build the cluster's programs; {found} is {version}")
    return found


def _wait_for(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another process is building; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)
