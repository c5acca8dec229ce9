"""The operator as one object: builds the parts, starts them in order, stops them so that nothing is lost."""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from costpolicy.clock import Clock
from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.connection import Connection
from costpolicy.kube.errors import GatewayError
from costpolicy.kube.gateway import Gateway, NamespacedName, Unreadable
from costpolicy.kube.leases import ClusterLease
from costpolicy.kube.mirror import MirrorGateway
from costpolicy.runtime.handlers import WATCHED, Intake, Watch, router_key
from costpolicy.runtime.health import STUCK_AFTER, Check, HealthServer, not_longer_than
from costpolicy.runtime.lease import Campaign, Election
from costpolicy.runtime.queue import NOW, WorkQueue
from costpolicy.runtime.resync import Resync
from costpolicy.runtime.settings import Settings
from costpolicy.runtime.telemetry import Telemetry
from costpolicy.runtime.workers import Reconcile, Workers

logger = logging.getLogger(__name__)

GRACE: Final = timedelta(seconds=20)
"""What a running reconcile gets to finish; less than the chart's terminationGracePeriodSeconds."""
WATCH_GRACE: Final = timedelta(seconds=3)
"""What the watches get to close their connections."""
KIND_RETRY: Final = timedelta(seconds=2)

ReconcilerFactory = Callable[[Gateway, Telemetry], Reconcile]
"""Builds the reconciler over the gateway and the telemetry of this process."""


class Operator:
    """Everything that runs in an operator process, which is what ``run`` is for."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        telemetry: Telemetry,
        clock: Clock,
        build: ReconcilerFactory,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._telemetry = telemetry
        lease = ClusterLease(connection, settings.lease_namespace, settings.lease_name)
        self._election = Election(lease, settings.identity, clock)
        self._cluster = ClusterGateway(
            connection,
            clock,
            namespaces=settings.namespaces,
            identity=settings.identity,
            may_write=self._election.leads,
        )
        self._mirror = MirrorGateway(self._cluster)
        self._queue = WorkQueue[NamespacedName](clock)
        self._resync = Resync(
            refresh=self._mirror.refresh,
            enqueue_all=self._enqueue_all,
            clock=clock,
            interval=settings.resync_interval,
        )
        self._campaign = Campaign(self._election, on_elected=self._resync.trigger, on_deposed=self._stand_by)
        self._workers = Workers(
            self._queue,
            build(self._mirror, telemetry),
            clock=clock,
            count=settings.workers,
            observer=telemetry.reconciled,
        )
        self._health = HealthServer(
            settings.health_port, liveness=self._liveness(), readiness={"synced": self._unsynced}
        )
        self._measure()

    @property
    def health_port(self) -> int:
        """The port of the probes."""
        return self._health.port

    def run(self, stop: threading.Event) -> None:
        """Serve probes and metrics, watch and reconcile until ``stop`` is set.

        Raises:
            WatchError: the watches ended by themselves.
        """
        metrics = self._telemetry.serve(self._settings.metrics_port)
        self._health.start()
        logger.info("started", extra={"metrics_port": metrics.port, "health_port": self.health_port})
        try:
            if self._await_kinds(stop):
                self._operate(stop)
        finally:
            self._health.stop()
            metrics.stop()
            self._connection.close()
        logger.info("stopped")

    def _operate(self, stop: threading.Event) -> None:
        self._workers.start()
        self._resync.start()
        self._campaign.start()
        watch = Watch(
            Intake(
                observe=lambda item, deleted: self._mirror.observe(item, deleted=deleted),
                enqueue=self._enqueue,
                enqueue_all=self._enqueue_all,
            ),
            self._connection,
            self._settings.namespaces,
        )
        watch.start(stop)
        stop.wait()
        # Finish what runs, then give the lease away, so that nobody else writes meanwhile.
        self._queue.close()
        self._resync.stop(GRACE)
        if self._workers.join(GRACE):
            self._campaign.stop(GRACE)
        else:
            logger.warning("a reconcile did not end in time: the lease is left to expire")
        watch.join(WATCH_GRACE)

    def _await_kinds(self, stop: threading.Event) -> bool:
        """Wait until the cluster has our kinds (charts may come in any order); return False when stopped."""
        waiting = [kind for kind in WATCHED if not kind.optional]
        while waiting and not stop.is_set():
            try:
                waiting = [kind for kind in waiting if not self._cluster.serves(kind.api_version, kind.kind)]
            except GatewayError as problem:
                logger.warning("API server does not answer yet", extra={"problem": str(problem)})
            if waiting:
                names = ", ".join(kind.kind for kind in waiting)
                logger.info("waiting for custom resource definitions", extra={"kinds": names})
                stop.wait(KIND_RETRY.total_seconds())
        return not stop.is_set()

    def _enqueue(self, key: NamespacedName) -> None:
        # A standby keeps its mirror warm and its queue empty: election brings a resync, and that brings every
        # key.  So does the first resync; before it a route could be told to do without a policy that is only not read yet.
        if self._election.leads() and self._resync.synced():
            self._queue.add(key)

    def _enqueue_all(self, delay: timedelta = NOW) -> None:
        if not self._election.leads():
            return
        for policy in self._mirror.policies():
            match policy:
                case Unreadable(ref=ref):
                    self._queue.add(NamespacedName(ref.namespace, ref.name), delay)
                case _:
                    self._queue.add(NamespacedName(policy.metadata.namespace, policy.metadata.name), delay)
        for route in self._mirror.routes():
            namespace = route.ref.namespace if isinstance(route, Unreadable) else route.metadata.namespace
            self._queue.add(router_key(namespace), delay)

    def _stand_by(self) -> None:
        """Drop the queue and wait until no reconcile runs; the fence already refuses their writes."""
        self._queue.clear()
        self._queue.wait_until_idle()

    def _unsynced(self) -> str | None:
        return None if self._resync.synced() else "the cluster has not been read yet"

    def _liveness(self) -> dict[str, Check]:
        silence = STUCK_AFTER + 2 * self._settings.resync_interval
        return {
            "reconcile": not_longer_than(STUCK_AFTER, self._queue.longest_work, "one reconcile has been running"),
            "queue": not_longer_than(STUCK_AFTER, self._queue.oldest_wait, "a policy has been waiting"),
            "resync": not_longer_than(silence, self._resync.since_last_turn, "no resync has ended"),
        }

    def _measure(self) -> None:
        queue, election = self._queue, self._election
        self._telemetry.measure("costpolicy_workqueue_depth", "Keys due and waiting for a worker.", queue.depth)
        self._telemetry.measure(
            "costpolicy_workqueue_oldest_seconds",
            "Time for which the longest waiting key has been due.",
            lambda: queue.oldest_wait().total_seconds(),
        )
        self._telemetry.measure("costpolicy_leader", "1 while this replica leads, else 0.", election.leads)
