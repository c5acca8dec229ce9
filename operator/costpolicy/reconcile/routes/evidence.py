"""Calibrations as stored: ConfigMaps of users, read anew only when their version changed."""

from collections.abc import Iterable, Mapping

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.validation import Problem
from costpolicy.kube.gateway import Gateway, ObjectRef
from costpolicy.kube.kinds import CONFIG_MAP
from costpolicy.reconcile.routes.proofs import Proof, read_proof
from costpolicy.reconcile.routes.thresholds import calibration_of

Known = Mapping[str, tuple[str, Proof | Problem]]
"""By name: the version that was read, and what it proves."""


class Calibrations:
    """Reads the ConfigMaps that routes name.  One namespace is read by one thread at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[str, Known] = {}

    def of(self, namespace: str, routes: Iterable[ModelRoute]) -> dict[str, Proof | Problem]:
        """Return what each ConfigMap proves, by name; one that is not there is left out.

        Raises:
            GatewayError: the API server does not answer.
        """
        names = sorted({name for route in routes for name in calibration_of(route).values()})
        before, found = self._known.get(namespace, {}), {}
        for name in names:
            ref = ObjectRef(api_version=CONFIG_MAP.api_version, kind=CONFIG_MAP.kind, name=name, namespace=namespace)
            stored = self._gateway.metadata(ref)
            if stored is None:
                continue
            version = stored["metadata"]["resourceVersion"]
            known = before.get(name)
            found[name] = known if known is not None and known[0] == version else (version, self._read(ref))
        self._known[namespace] = found
        return {name: proof for name, (_, proof) in found.items()}

    def forget(self, namespace: str) -> None:
        """Drop what was read of a namespace that has no routes any more."""
        self._known.pop(namespace, None)

    def _read(self, ref: ObjectRef) -> Proof | Problem:
        item = self._gateway.read(ref) or {}
        return read_proof(ref.name, item.get("data", {}))
