"""A pause that somebody else asks for, by a file.

The operator shows the file to the evaluator's pod through a ConfigMap, which the kubelet brings up to date within
about a minute.  Suspending the Job instead would throw away every answer so far, because a suspended Job has no pod.
"""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final

_LOOK_AGAIN: Final = 5.0
"""Seconds between two looks at the file."""


def wait_a_little() -> None:
    """Wait until it is time to look again."""
    Event().wait(_LOOK_AGAIN)


def pausing(file: Path | None, wait: Callable[[], None] = wait_a_little) -> Callable[[], None]:
    """Return a function that returns once the file is not there."""

    def hold() -> None:
        while file is not None and file.exists():
            wait()

    return hold
