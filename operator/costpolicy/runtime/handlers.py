"""kopf's only task here: watch.  An event changes the mirror and, if it was news, puts a key on the queue.

Level-based on purpose: no create, update or field handlers, timers or daemons, so kopf leaves no finalizers,
annotations or status on anybody's objects, and missing an event costs a resync interval at most.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import kopf

from costpolicy.kube.connection import Connection
from costpolicy.kube.gateway import MANAGED_BY, MANAGED_BY_LABEL, POLICY_LABEL, NamespacedName, Object
from costpolicy.kube.kinds import COST_POLICY, DEPLOYMENT, MODEL_ROUTE, NODE, PRICE_BOOK, Kind

logger = logging.getLogger(__name__)

WATCHED: Final = (COST_POLICY, MODEL_ROUTE, PRICE_BOOK, DEPLOYMENT, NODE)
SETTLE: Final = timedelta(seconds=2)
"""How long nodes and prices may go on changing before all policies are decided again."""

Observe = Callable[[Object, bool], bool]
"""Enters an object (and whether it was deleted) into the mirror; returns whether that was news."""


def router_key(namespace: str) -> NamespacedName:
    """Return the key of a namespace's router on the work queue: no policy is called so."""
    return NamespacedName(namespace, "")


class Intake:
    """Turns watch events into work: what concerns one policy at once, what concerns all after a moment."""

    def __init__(
        self,
        *,
        observe: Observe,
        enqueue: Callable[[NamespacedName], None],
        enqueue_all: Callable[[timedelta], None],
    ) -> None:
        self._observe = observe
        self._enqueue = enqueue
        self._enqueue_all = enqueue_all

    def on_event(self, event: Any, **_: Any) -> None:  # noqa: ANN401 - kopf passes a dozen arguments by name
        """Take one event of any watched kind (kopf runs this in a thread of its own)."""
        item: Object = event["object"]
        if not self._observe(item, event["type"] == "DELETED"):
            return
        metadata = item["metadata"]
        if item["kind"] == COST_POLICY.kind:
            self._enqueue(NamespacedName(metadata["namespace"], metadata["name"]))
        elif item["kind"] == MODEL_ROUTE.kind:
            self._enqueue(router_key(metadata["namespace"]))
        elif item["kind"] == DEPLOYMENT.kind:
            policy = metadata["labels"].get(POLICY_LABEL, "")
            self._enqueue(
                NamespacedName(metadata["namespace"], policy) if policy else router_key(metadata["namespace"])
            )
        else:
            self._enqueue_all(SETTLE)


class WatchError(Exception):
    """kopf gave up; only a restart of the process helps."""


class Watch:
    """kopf in a thread of its own.

    In a thread, because in the main one it would take over the signals, and stopping it while it starts can take it
    longer than a pod's grace period; nothing is lost by leaving it behind.
    """

    def __init__(self, intake: Intake, connection: Connection, namespaces: tuple[str, ...]) -> None:
        self._intake = intake
        self._connection = connection
        self._namespaces = namespaces
        self._problem: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, stop: threading.Event) -> None:
        """Watch until ``stop`` is set; set it when watching fails."""
        self._thread = threading.Thread(target=self._run, args=(stop,), name="watch", daemon=True)
        self._thread.start()

    def join(self, timeout: timedelta) -> None:
        """Wait for the watches to end, but no longer than that.

        Raises:
            WatchError: they had ended before they were stopped.
        """
        if self._thread is not None:
            self._thread.join(timeout.total_seconds())
        if self._problem is not None:
            raise WatchError(f"watching failed: {self._problem}") from self._problem

    def _run(self, stop: threading.Event) -> None:
        try:
            asyncio.run(
                kopf.operator(
                    registry=registry(self._intake, self._connection),
                    settings=watch_settings(),
                    clusterwide=not self._namespaces,
                    namespaces=self._namespaces,
                    standalone=True,
                    # Unused without peering; kopf would ask for the user's name, which a pod's uid has not.
                    identity="costpolicy-operator",  # type: ignore[arg-type]  # a NewType that kopf keeps private
                    stop_flag=stop,
                )
            )
        except Exception as problem:
            logger.exception("watching failed")
            self._problem = problem
        finally:
            stop.set()


def registry(intake: Intake, connection: Connection) -> kopf.OperatorRegistry:
    """Return a private registry with the one event handler and the login."""
    handlers = kopf.OperatorRegistry()
    for kind in WATCHED:
        kopf.on.event(*_group_and_version(kind), kind.plural, id=kind.plural, registry=handlers)(intake.on_event)

    def login(**_: object) -> kopf.ConnectionInfo:
        credentials = connection.credentials()
        scheme, _space, token = credentials.authorization.rpartition(" ")
        return kopf.ConnectionInfo(
            server=credentials.server,
            insecure=credentials.insecure,
            ca_path=credentials.ca_path or None,
            certificate_path=credentials.certificate_path or None,
            private_key_path=credentials.private_key_path or None,
            scheme=scheme or None,
            token=token or None,
        )

    kopf.on.login(registry=handlers)(login)
    return handlers


def watch_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: nothing posted, nothing scanned, and no watch that can fall silent for ever."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 360
    settings.watching.connect_timeout = 10
    settings.watching.label_selectors[_resource(DEPLOYMENT)] = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.process.ultimate_exiting_timeout = None
    return settings


def _group_and_version(kind: Kind) -> tuple[str, str]:
    group, _, version = kind.api_version.rpartition("/")
    return group, version


def _resource(kind: Kind) -> tuple[str, str, str]:
    return (*_group_and_version(kind), kind.plural)
