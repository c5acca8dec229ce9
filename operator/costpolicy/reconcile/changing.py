"""Which policies change their configuration now, so that a whole fleet does not change at once.

What this process decided about a policy counts, and its status until it has decided something: after a restart, and after
a change of leader, status is all there is.
"""

from threading import Lock

from costpolicy.api.status import CostPolicyStatus
from costpolicy.reconcile.fleet import Fleet
from costpolicy.rollout.transition import Phase

_UNDER_WAY = (Phase.SURGING, Phase.EVALUATING, Phase.SHARING, Phase.REPLACING)
"""A change that waits for an accelerator holds up nobody else."""


class Changing:
    """The changes under way.  Decisions are made under ``one_at_a_time``, or two would take the last permission."""

    def __init__(self) -> None:
        self.one_at_a_time = Lock()
        self._decided: dict[str, bool] = {}
        self._fleet: Fleet | None = None
        self._stored: frozenset[str] = frozenset()

    def beside(self, key: str, fleet: Fleet) -> int:
        """Return how many policies other than that of a key change now."""
        if fleet is not self._fleet:
            undecided = (policy for policy in fleet.policies if policy.key not in self._decided)
            self._fleet = fleet
            self._stored = frozenset(policy.key for policy in undecided if _under_way(policy.status))
        decided = {other for other, changes in self._decided.items() if changes}
        stored = {other for other in self._stored if other not in self._decided}
        return len((decided | stored) - {key})

    def note(self, key: str, status: CostPolicyStatus) -> None:
        """Remember what was decided about a policy."""
        self._decided[key] = _under_way(status)

    def forget(self, key: str) -> None:
        """Forget a policy that is gone."""
        self._decided.pop(key, None)


def _under_way(status: CostPolicyStatus | None) -> bool:
    return status is not None and status.rollout is not None and status.rollout.phase in _UNDER_WAY
