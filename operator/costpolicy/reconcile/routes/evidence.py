"""Calibrations as stored: ConfigMaps of users, read anew only when their version changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from costpolicy.api.model_route import ModelRoute
from costpolicy.api.validation import Problem
from costpolicy.kube.gateway import Gateway, ObjectRef
from costpolicy.kube.kinds import CONFIG_MAP
from costpolicy.reconcile.routes.compression import compression_map_of, read_compression
from costpolicy.reconcile.routes.proofs import Proof, is_of_a_tier, read_proof
from costpolicy.reconcile.routes.thresholds import calibration_of
from costpolicy.routing.compression_proof import CompressionEvidence


@dataclass(frozen=True, slots=True)
class Read:
    """What one ConfigMap says of a tier, and of compression; ``None``: nothing."""

    proof: Proof | Problem | None
    compression: CompressionEvidence | Problem | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What all ConfigMaps say, by name."""

    proofs: Mapping[str, Proof | Problem] = field(default_factory=dict)
    compressions: Mapping[str, CompressionEvidence | Problem] = field(default_factory=dict)


Known = Mapping[str, tuple[str, Read]]
"""By name: the version that was read, and what it says."""


class Calibrations:
    """Reads the ConfigMaps that routes name.  One namespace is read by one thread at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: dict[str, Known] = {}

    def of(self, namespace: str, routes: Iterable[ModelRoute]) -> Stored:
        """Return what each ConfigMap proves; one that is not there is left out.

        Raises:
            GatewayError: the API server does not answer.
        """
        names = sorted({name for route in routes for name in _named(route)})
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
        return Stored(
            proofs={name: read.proof for name, (_, read) in found.items() if read.proof is not None},
            compressions={name: read.compression for name, (_, read) in found.items() if read.compression is not None},
        )

    def forget(self, namespace: str) -> None:
        """Drop what was read of a namespace that has no routes any more."""
        self._known.pop(namespace, None)

    def _read(self, ref: ObjectRef) -> Read:
        data = (self._gateway.read(ref) or {}).get("data", {})
        compression = read_compression(ref.name, data)
        # A night may have judged a compression before there is a label of any tier.
        of_a_tier = compression is None or is_of_a_tier(data)
        return Read(read_proof(ref.name, data) if of_a_tier else None, compression)


def _named(route: ModelRoute) -> set[str]:
    return {*calibration_of(route).values(), compression_map_of(route)} - {""}
