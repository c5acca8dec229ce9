"""Both gateways of a real cluster against a real API server: directly, and mirrored in memory.

Covered: the whole contract.  Not covered: failures (``test_failures.py``), watching (``test_operator.py``).
"""

import pytest

from costpolicy.kube.cluster import ClusterGateway
from costpolicy.kube.mirror import MirrorGateway
from gateway_contract import GatewayContract


class TestClusterGateway(GatewayContract):
    @pytest.fixture
    def gateway(self, cluster_gateway: ClusterGateway) -> ClusterGateway:
        return cluster_gateway


class TestMirrorGateway(GatewayContract):
    @pytest.fixture
    def gateway(self, cluster_gateway: ClusterGateway, world) -> MirrorGateway:
        mirror = MirrorGateway(cluster_gateway)
        mirror.refresh()
        world.settle = mirror.refresh
        return mirror
