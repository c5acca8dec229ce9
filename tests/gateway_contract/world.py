"""The cluster as everybody but the gateway under test sees and changes it."""

from typing import Any, Protocol

from costpolicy.kube.gateway import Object, ObjectRef


class World(Protocol):
    """The cluster as users, schedulers and autoscalers see it."""

    namespace: str
    """A namespace that no other test uses."""

    def create(self, item: Object) -> Object:
        """Create an object as somebody else, with its status where it has one; return it as stored."""

    def edit(self, ref: ObjectRef, change: dict[str, Any], manager: str) -> Object:
        """Merge a change into an object under another field manager (as ``kubectl edit`` does)."""

    def get(self, ref: ObjectRef) -> Object | None:
        """Return an object as stored, with managedFields."""

    def remove(self, ref: ObjectRef) -> None:
        """Delete an object as somebody else."""

    def events(self) -> list[Object]:
        """Return the events of the namespace, oldest first."""

    def settle(self) -> None:
        """Let the gateway learn what happened (one that mirrors the cluster is fed here)."""
