"""Events of events.k8s.io/v1 as the operator publishes them."""

from datetime import datetime
from typing import Final

from costpolicy.kube.gateway import Event, Object, ObjectRef

REPORTER: Final = "costpolicy.dev/operator"
NOTE_BYTES: Final = 1024
"""The longest note that events.k8s.io/v1 accepts."""
INSTANCE_BYTES: Final = 128


def events_path(event: Event) -> str:
    """Return where an event is kept: with its object, in default for those without a namespace."""
    return f"/apis/events.k8s.io/v1/namespaces/{_namespace(event)}/events"


def event_body(event: Event, now: datetime, instance: str) -> Object:
    """Return the JSON of an event that happened now, reported by this instance of the operator."""
    body: Object = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            # client-go's naming, object and moment: unlike with generateName, a repeated POST does no harm.
            "name": f"{event.regarding.name}.{int(now.timestamp() * 1e6):x}",
            "namespace": _namespace(event),
        },
        "eventTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "reportingController": REPORTER,
        "reportingInstance": instance[:INSTANCE_BYTES],
        "type": event.type.value,
        "reason": event.reason,
        "action": event.action,
        "note": event.note.encode()[:NOTE_BYTES].decode(errors="ignore"),
        "regarding": _reference(event.regarding),
    }
    if event.related is not None:
        body["related"] = _reference(event.related)
    return body


def _namespace(event: Event) -> str:
    return event.regarding.namespace or "default"


def _reference(ref: ObjectRef) -> dict[str, str]:
    fields = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "name": ref.name,
        "namespace": ref.namespace,
        "uid": ref.uid,
    }
    return {name: value for name, value in fields.items() if value}
