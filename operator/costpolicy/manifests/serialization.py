"""From typed models to JSON, once."""

from functools import cache
from typing import Any

from kubernetes.client import ApiClient
from pydantic import BaseModel

Object = dict[str, Any]
"""A Kubernetes object as JSON; ``apiVersion`` and ``kind`` are always present."""


@cache
def _serializer() -> ApiClient:
    """Return a client that never connects: its only use here is the official mapping of names to JSON."""
    return ApiClient()


def to_object(model: BaseModel) -> Object:
    """Return a model of the client as the JSON that the API server reads; unset fields are absent."""
    serialized: Object = _serializer().sanitize_for_serialization(model)  # type: ignore[no-untyped-call]
    return serialized
