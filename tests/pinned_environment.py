"""Virtual environments for what tests run beside the project, each built once into the user's cache.

The folder's name carries a key of everything that went into it, so a change of a pin builds a new one beside the old.
A build that was interrupted leaves no marker and is done again; two builds at once wait for each other.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

INSTALLER = Path(__file__).with_name("engine") / "installer.txt"
"""uv: pip alone would need more than twice the time."""
_MARKER = ".complete"
_OFFLINE = {"HF_HUB_OFFLINE": "1", "UV_HTTP_TIMEOUT": "300"}


class BuildError(Exception):
    """The environment could not be built; the message says which step failed and with what output."""


@dataclass(frozen=True, slots=True)
class Build:
    """A build that is under way: runs its steps, and says what it does and for how long it has."""

    name: str
    env: Path
    variables: Mapping[str, str]
    started: float = field(default_factory=time.monotonic)

    @property
    def python(self) -> str:
        """The environment's interpreter."""
        return str(self.env / "bin" / "python")

    def run(self, step: str, command: list[str]) -> str:
        """Run one step, say every 15 seconds that it still does, and return its output.

        Raises:
            BuildError: it failed.
        """
        self.say(step)
        done = threading.Event()

        def remind() -> None:
            while not done.wait(15):
                self.say(f"still: {step}")

        reminder = threading.Thread(target=remind, daemon=True)
        reminder.start()
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False, env=self._environment())
        finally:
            done.set()
            reminder.join()
        if result.returncode:
            raise BuildError(f"could not {step}:\n{(result.stdout + result.stderr)[-3000:]}")
        return result.stdout

    def say(self, what: str) -> None:
        """Print one line of progress."""
        print(f"{self.name} [{time.monotonic() - self.started:4.0f} s] {what}", file=sys.stderr, flush=True)

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
        return {**inherited, **_OFFLINE, **self.variables}


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedEnvironment:
    """What an environment is made of.

    Attributes:
        name: in lines of progress.
        folder: begins the name of its folder, with the version of what it holds.
        requirements: every pin with its hash, so that nothing is resolved.
        recipe: raised when ``finish`` changes what it builds.
        finish: what is done once everything is installed, and how it is seen to work.
        variables: of all steps.
    """

    name: str
    folder: str
    requirements: Path
    recipe: int
    finish: Callable[[Build], None]
    variables: Mapping[str, str] = field(default_factory=dict)

    def path(self) -> Path:
        """Where the environment is, or will be, for this interpreter and these pins."""
        inputs = f"{self.recipe} {sys.version_info[:2]} {sys.base_prefix}".encode() + self.requirements.read_bytes()
        key = hashlib.sha256(inputs).hexdigest()[:12]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cache / "costpolicy" / f"{self.folder}-{key}"

    def is_there(self) -> bool:
        """Whether it was built."""
        return (self.path() / _MARKER).exists()

    def built(self) -> Path:
        """Return the environment's folder, built first if this machine has none.

        Raises:
            BuildError: it could not be built.
        """
        env = self.path()
        if self.is_there():
            return env
        env.parent.mkdir(parents=True, exist_ok=True)
        with _only_one_build(env):
            if not self.is_there():
                self._build(env)
        return env

    def _build(self, env: Path) -> None:
        if env.exists():
            shutil.rmtree(env)
        build = Build(self.name, env, self.variables)
        build.run("create the virtual environment", [sys.executable, "-m", "venv", str(env)])
        pinned = ["--quiet", "--no-deps", "--require-hashes", "-r"]
        build.run("fetch the installer", [build.python, "-m", "pip", "install", *pinned, str(INSTALLER)])
        install = [str(env / "bin" / "uv"), "pip", "install", "--python", build.python, *pinned, str(self.requirements)]
        build.run(f"install {self.folder} and what it needs", install)
        self.finish(build)
        (env / _MARKER).touch()
        build.say(f"ready in {env}")


@contextmanager
def _only_one_build(env: Path) -> Iterator[None]:
    with env.with_name(env.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
