"""Writes one ConfigMap with the caller's own credentials, for the command line."""

from collections.abc import Mapping
from typing import Final

from costpolicy.kube.connection import APPLY_PATCH, connect
from costpolicy.kube.kinds import CONFIG_MAP

MANAGER: Final = "costpolicy-calibration"
"""Field manager of what the command writes of tiers: never the operator's."""
COMPRESSION_MANAGER: Final = "costpolicy-compression"
"""The same of compression: applied by one manager, what a ConfigMap says of the one would go with the other."""


def apply_config_map(namespace: str, name: str, data: Mapping[str, str], manager: str = MANAGER) -> None:
    """Create a ConfigMap, or replace what the same manager wrote to it before; fields of others stay.

    Raises:
        GatewayError: there is no cluster to ask, or it refuses.
    """
    body = {
        "apiVersion": CONFIG_MAP.api_version,
        "kind": CONFIG_MAP.kind,
        "metadata": {"name": name, "namespace": namespace},
        "data": dict(data),
    }
    connection = connect()
    try:
        connection.request(
            "PATCH",
            f"{CONFIG_MAP.path(namespace)}/{name}",
            query={"fieldManager": manager, "force": "true"},
            body=body,
            content_type=APPLY_PATCH,
        )
    finally:
        connection.close()
