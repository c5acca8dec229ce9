"""The real router's environment: LiteLLM with its proxy, in a virtual environment of its own."""

from pathlib import Path

from pinned_environment import Build, BuildError, PinnedEnvironment

LITELLM_VERSION = "1.106.2"


def router_env() -> Path:
    """The environment's folder, built first if this machine has none (half a minute and 700 MB, once).

    Raises:
        BuildError: it could not be built.
    """
    return ROUTER.built()


def _finish(build: Build) -> None:
    """Write byte code, without which every start takes half a minute longer, and ask for the version."""
    build.run(
        "compile what a router imports", [build.python, "-m", "compileall", "-q", "-j", "2", str(build.env / "lib")]
    )
    program = "from importlib.metadata import version; print(version('litellm'))"
    version = build.run("ask for its version", [build.python, "-c", program])
    if LITELLM_VERSION != version.strip():
        raise BuildError(f"LiteLLM is {version.strip()}, expected {LITELLM_VERSION}")


ROUTER = PinnedEnvironment(
    name="router",
    folder=f"litellm-{LITELLM_VERSION}",
    requirements=Path(__file__).with_name("requirements.txt"),
    recipe=1,
    finish=_finish,
    variables={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
)
