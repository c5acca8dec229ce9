"""Writes one ConfigMap with the caller's own credentials, for the command line."""

from collections.abc import Mapping
from typing import Final

from costpolicy.kube.connection import APPLY_PATCH, connect
from costpolicy.kube.kinds import CONFIG_MAP

MANAGER: Final = "costpolicy-calibration"
"""Field manager of what the command writes: never the operator's."""


def apply_config_map(namespace: str, name: str, data: Mapping[str, str]) -> None:
    """Create a ConfigMap, or replace what was written to it before; fields of others stay.

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
            query={"fieldManager": MANAGER, "force": "true"},
            body=body,
            content_type=APPLY_PATCH,
        )
    finally:
        connection.close()
