"""Where things lie in the router's pods."""

from typing import Final

FOLDER: Final = "/etc/costpolicy-router"
"""The mounted ConfigMap; in front of the module search path, so that LiteLLM finds the callback."""
CONFIG_FILE: Final = "config.yaml"
ROUTES_FILE: Final = "routes.json"
SAMPLES: Final = "/samples"
DRAIN_FILE: Final = "costpolicy_drain.py"
PLUGIN_PACKAGE: Final = "router_plugin"


def coefficients_file(route: str, tier: str = "") -> str:
    """Return the file of a score's coefficients; names of routes and tiers have no underscore, so no two are alike."""
    return "_".join(part for part in ("score", route, tier) if part) + ".json"


def samples_folder(claim: str, route: str = "") -> str:
    """Return the folder that a claim is mounted at, or a route's own in it."""
    return "/".join(part for part in (SAMPLES, claim, route) if part)
