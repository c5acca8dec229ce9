"""What can go wrong between the operator and the API server.

::

    GatewayError
    ├── Gone          the object is not (or no longer) there
    ├── Conflict      somebody else changed, or is deleting, the object: read again and decide again
    ├── NameTaken     an object of this name exists that is not ours: only a person can resolve it
    ├── Forbidden     RBAC or admission refuses: only a person can resolve it
    ├── Invalid       the API server refuses the content: a defect of ours, or of the user's pod settings
    ├── NotLeader     this process lost its lease: it may read but no longer write
    └── Unavailable   the API server is slow, overloaded or away: the same call may work later

The first five are answers; the last two say nothing about the object.
"""

from datetime import timedelta
from typing import Final

DEFAULT_RETRY: Final = timedelta(seconds=5)


class GatewayError(Exception):
    """Any failure of a call to the cluster; the message is fit for a condition."""


class Gone(GatewayError):  # noqa: N818 - the name Kubernetes uses for the answer
    """The object does not exist (404, 410)."""


class Conflict(GatewayError):  # noqa: N818 - the name Kubernetes uses for the answer
    """The object changed under us (409): a precondition failed, or it is being deleted."""


class NameTaken(GatewayError):  # noqa: N818 - reads as the reason it becomes in a condition
    """An object of the planned name exists and belongs to somebody else; nothing was written."""


class Forbidden(GatewayError):  # noqa: N818 - the name Kubernetes uses for the answer
    """The request is not allowed (401, 403); the message carries the API server's reason."""


class Invalid(GatewayError):  # noqa: N818 - the name Kubernetes uses for the answer
    """The content is refused (400, 422); the message names the field."""


class NotLeader(GatewayError):  # noqa: N818 - a state, not a malfunction
    """This process does not hold the lease, so the write was not sent."""


class Unavailable(GatewayError):  # noqa: N818 - the name Kubernetes uses for the answer
    """No usable answer (429, 5xx, timeout, refused connection); ``retry_after`` says when to try again."""

    def __init__(self, message: str, retry_after: timedelta = DEFAULT_RETRY) -> None:
        super().__init__(message)
        self.retry_after = retry_after
