"""Where the cluster keeps things: what can be made again, what a running cluster needs, and this checkout."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent


def cache_folder() -> Path:
    """Return the folder of built binaries and downloaded parts; deleting it costs only time."""
    return _base("XDG_CACHE_HOME", ".cache") / "costpolicy"


def state_folder() -> Path:
    """Return the folder of the one full cluster a user has: logs, credentials, container storage."""
    return _base("XDG_STATE_HOME", ".local/state") / "costpolicy" / "cluster"


def _base(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    # The XDG base directory specification: a relative value is invalid and ignored.
    return Path(value) if value.startswith("/") else Path.home() / default
