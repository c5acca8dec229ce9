"""A router's folder as its pod sees it: configuration, routes, coefficients, and our modules below them."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import costpolicy.router_plugin
from router.server import CONFIGURATION

PLUGIN = Path(costpolicy.router_plugin.__file__).parent
MASTER_KEY = "sk-of-the-administrator-of-these-tests"


def write_folder(
    folder: Path, routes: Mapping[str, Any], tiers: Mapping[str, str], coefficients: Mapping[str, str], keys: bool
) -> Path:
    """Write everything.

    Args:
        routes: ``routes.json``.
        tiers: by the router's name of a model, such as ``chat/small``, the address of what answers.
        coefficients: files by name.
        keys: whether tenants have keys of their own.
    """
    folder.mkdir(parents=True)
    shutil.copytree(PLUGIN, folder / PLUGIN.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "routes.json").write_text(json.dumps(routes))
    for name, text in coefficients.items():
        (folder / name).write_text(text)
    (folder / CONFIGURATION).write_text(yaml.safe_dump(_configuration(routes, tiers, keys)))
    return folder


def _configuration(routes: Mapping[str, Any], tiers: Mapping[str, str], keys: bool) -> dict[str, Any]:
    fallbacks = [{name: [name.split("/")[0]]} for name in tiers if "/" in name and not _is_trusted(routes, name)]
    return {
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {
                    "model": "hosted_vllm/tiny",
                    "api_base": f"{url}/v1",
                    "api_key": "none",
                    "max_retries": 0,
                },
            }
            for name, url in tiers.items()
        ],
        "router_settings": {"num_retries": 0, "fallbacks": fallbacks, "disable_cooldowns": True, "timeout": 600},
        "litellm_settings": {"callbacks": ["router_plugin.callback.handler"], "drop_params": False},
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            **({"custom_auth": "router_plugin.keys.authenticate"} if keys else {}),
        },
    }


def _is_trusted(routes: Mapping[str, Any], name: str) -> bool:
    route, tier = name.split("/")
    return bool(routes["routes"][route]["trusted"] == tier)
