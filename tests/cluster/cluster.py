"""What the demo and the end-to-end tests ask of a cluster, whether it is built here or kind's."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Service = Mapping[str, Any]
"""A Service as the API server stores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealEngine:
    """A vLLM that a cluster can run: what its pods must ask for, and where on the node the model lies."""

    version: str
    image: str
    runtime_class: str | None
    model_on_node: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRouter:
    """A LiteLLM that a cluster can run: what its pods must ask for."""

    image: str
    runtime_class: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How this machine reaches what runs in a cluster: base addresses without a slash at their end."""

    prometheus: str
    service: Callable[[Service], str]


class Stoppable(Protocol):
    """Something that was started and can be ended."""

    def stop(self) -> None:
        """End it and forget everything it had stored."""


class Cluster(Protocol):
    """A running cluster with simulated accelerators and one real node."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""

    @property
    def prometheus_url(self) -> str:
        """Prometheus, as pods reach it once it is started."""

    def kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run kubectl as the administrator and return what it prints; ClusterError with its message if it fails."""

    def helm(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - subprocess's own word
        """Run Helm as the administrator and return what it prints; ClusterError with its message if it fails."""

    def provide_operator_image(self) -> None:
        """Build images.OPERATOR_IMAGE from this checkout and put it where the node finds it."""

    def provide_engine(self, model: Path) -> RealEngine:
        """Make a real engine and a model's folder of this machine available to pods."""

    def provide_router(self) -> RealRouter:
        """Make a real LiteLLM available to pods."""

    def start_prometheus(self, *, rules: Mapping[str, object], scrape_interval: str) -> Stoppable:
        """Start an empty Prometheus with the content of a rule file, scraping the real node's annotated pods."""

    def reach(self) -> AbstractContextManager[Reach]:
        """Give the addresses at which this machine reaches the cluster; they hold inside the block."""
