"""The ConfigMap that a router reads: immutable, and named by its content, so that another content is another rollout."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import yaml
from kubernetes import client

from costpolicy.drain import program_source
from costpolicy.manifests.identity import fingerprint
from costpolicy.manifests.router.files import (
    CONFIG_FILE,
    DRAIN_FILE,
    PLUGIN_PACKAGE,
    ROUTES_FILE,
    coefficients_file,
)
from costpolicy.manifests.router.identity import ROUTER, router_meta
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.litellm import litellm_document
from costpolicy.manifests.router.routes_file import routes_document
from costpolicy.manifests.serialization import Object, to_object

MOST_BYTES: Final = 512 * 1024
"""Half of what a ConfigMap may hold: metadata and the record of its fields come on top."""
_PLUGIN: Final = "costpolicy.router_plugin"


class ConfigurationTooLargeError(ValueError):
    """A namespace has more routes than one ConfigMap holds the scores of; the message says what to do."""


@dataclass(frozen=True, slots=True)
class RouterFile:
    """One file of the router's folder."""

    path: str
    text: str

    @property
    def key(self) -> str:
        """Its key in the ConfigMap, which cannot have a slash."""
        return self.path.replace("/", ".")


def router_files(router: Router) -> tuple[RouterFile, ...]:
    """Return the files of a router's folder, by path.

    Raises:
        ConfigurationTooLargeError: they take more than 512 KiB.
    """
    found = (
        RouterFile(CONFIG_FILE, yaml.safe_dump(litellm_document(router), sort_keys=False, width=120)),
        RouterFile(ROUTES_FILE, json.dumps(routes_document(router), indent=1, ensure_ascii=False) + "\n"),
        *_coefficients(router),
        *_modules(),
    )
    size = sum(len(file.key) + len(file.text.encode()) for file in found)
    if size > MOST_BYTES:
        raise ConfigurationTooLargeError(
            f"the configuration of the namespace's router takes {size // 1024} KiB, more than {MOST_BYTES // 1024}: "
            "move ModelRoutes with calibrations to another namespace"
        )
    return tuple(sorted(found, key=lambda file: file.path))


def configuration_name(router: Router) -> str:
    """Return the ConfigMap's name, ``costpolicy-router-`` and ten hexadecimal digits of its content.

    Raises:
        ConfigurationTooLargeError: as :func:`router_files`.
    """
    return f"{ROUTER}-{fingerprint({file.key: file.text for file in router_files(router)})}"


def configuration(router: Router) -> Object:
    """Return the ConfigMap.

    Raises:
        ConfigurationTooLargeError: as :func:`router_files`.
    """
    return to_object(
        client.V1ConfigMap(
            api_version="v1",
            kind="ConfigMap",
            metadata=router_meta(router, configuration_name(router)),
            immutable=True,
            data={file.key: file.text for file in router_files(router)},
        )
    )


def _coefficients(router: Router) -> tuple[RouterFile, ...]:
    routes = [(coefficients_file(route.name), route.coefficients) for route in router.routes]
    tiers = [
        (coefficients_file(route.name, tier.name), tier.coefficients) for route in router.routes for tier in route.tiers
    ]
    return tuple(RouterFile(path, text) for path, text in (*routes, *tiers) if text)


@cache
def _modules() -> tuple[RouterFile, ...]:
    """Return the callback, and the program that lets the router's pods stop without losing a request."""
    sources = [source for source in files(_PLUGIN).iterdir() if source.name.endswith(".py")]
    plugin = [RouterFile(f"{PLUGIN_PACKAGE}/{source.name}", source.read_text(encoding="utf-8")) for source in sources]
    return (*plugin, RouterFile(DRAIN_FILE, program_source()))
