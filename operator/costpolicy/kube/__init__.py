"""The Kubernetes seam: what the operator reads from and writes to a cluster, and its implementations.

:mod:`~costpolicy.kube.gateway` is the contract, :mod:`~costpolicy.kube.cluster` the real API server behind
it, :mod:`~costpolicy.kube.mirror` the same contract answered from memory and fed by watch events.
"""
