"""Whose key it is: digests of the keys, never the keys, compared in constant time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Self

from .routes import Routing, Tenant

MASTER: Final = "LITELLM_MASTER_KEY"
"""Environment variable of the administrator's key, as LiteLLM reads it too."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a router.

    Attributes:
        master: digest of the administrator's; ``None``: there is none.
        tenants: with the digests of theirs.
    """

    master: bytes | None
    tenants: Sequence[tuple[bytes, Tenant]]

    @classmethod
    def of(cls, routing: Routing, environment: Mapping[str, str]) -> Self:
        """Read the keys; a tenant whose variable is empty has none, and nobody is it."""
        given = [(environment.get(tenant.variable, ""), tenant) for tenant in routing.tenants]
        master = environment.get(MASTER, "")
        return cls(_digest(master) if master else None, [(_digest(key), tenant) for key, tenant in given if key])

    def owner(self, key: str) -> Tenant | None:
        """Return the tenant that a key belongs to; ``None``: to none, or to two, which is nobody."""
        found = self._owners(_digest(key))
        return found[0] if len(found) == 1 else None

    def is_master(self, key: str) -> bool:
        """Return whether a key is the administrator's, and no tenant's."""
        digest = _digest(key)
        owners = self._owners(digest)
        return self.master is not None and compare_digest(self.master, digest) and not owners

    def _owners(self, digest: bytes) -> list[Tenant]:
        """Compare with every key, so that the time says nothing."""
        return [tenant for own, tenant in self.tenants if compare_digest(own, digest)]


def _digest(key: str) -> bytes:
    return sha256(key.encode(errors="surrogatepass")).digest()
