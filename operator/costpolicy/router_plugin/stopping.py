"""Whether this pod is being stopped: then every answer asks its client to connect anew, elsewhere."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STOPPING: Final = Path(tempfile.gettempdir(), "costpolicy-stopping")
"""The mark that the preStop hook leaves (docs/decisions/0017-kept-connections.md)."""
LET_GO: Final[Mapping[str, str]] = {"connection": "close"}


@dataclass(frozen=True, slots=True)
class Stopping:
    """The mark of a pod's end."""

    mark: Path = STOPPING

    def begin(self) -> None:
        """Forget the mark of a container that was here before and was stopped."""
        self.mark.unlink(missing_ok=True)

    def headers(self) -> dict[str, str]:
        """Return what to add to an answer."""
        return dict(LET_GO) if self.mark.exists() else {}
