"""The promises of ``kube.gateway.Gateway``, as tests that every implementation runs.

A test module subclasses :class:`GatewayContract` and provides two fixtures: ``world``, the cluster as
everybody else sees and changes it, and ``gateway``, the implementation under test over that same world.

Covered: reading, server-side apply with both field managers, names that are taken, routers, deletes, status, events.
Not covered: what only a real API server does (schemas, RBAC, timeouts): ``tests/integration/kube``.
"""

from gateway_contract.applying import Applying
from gateway_contract.reading import Reading
from gateway_contract.routing import Routing
from gateway_contract.telling import Telling


class GatewayContract(Reading, Applying, Routing, Telling):
    """What a Gateway promises."""
