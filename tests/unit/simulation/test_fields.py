"""Fields of simulated objects, as server-side apply sees them.

Covered: which leaves an ordinary update changed, and so takes.
Not covered: owners and merging over the Gateway (test_gateway.py).
"""

import copy
from typing import Any

import pytest

from costpolicy.simulation.fields import differing, leaves, lookup

POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "chat"}},
    "spec": {
        "nodeSelector": {"gpu": "l40s"},
        "containers": [
            {"name": "vllm", "image": "a", "ports": [{"containerPort": 8000, "protocol": "TCP"}], "args": ["--x"]},
            {"name": "sidecar", "image": "b"},
        ],
    },
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The pod with another value at a place."""
    after = copy.deepcopy(POD)
    at: Any = after
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return after


CHANGES = (
    POD,
    {},
    changed("spec", "nodeName", to="gpu-1"),
    changed("metadata", "labels", "app", to="other"),
    changed("spec", "nodeSelector", to={"gpu": "l40s", "zone": "a"}),
    changed("spec", "containers", 0, "args", to=["--x", "--y"]),
    changed("spec", "containers", 1, "image", to=None),
    changed("spec", "containers", 0, "ports", 0, "containerPort", to=9000),
    changed("spec", "containers", to=[{"name": "vllm", "image": "a"}]),
    changed("spec", "containers", to=[]),
    changed("spec", "containers", to="none"),
)


@pytest.mark.parametrize("after", CHANGES, ids=range(len(CHANGES)))
@pytest.mark.parametrize("before", CHANGES, ids=range(len(CHANGES)))
def test_what_differs_are_the_leaves_with_another_value_than_before(before: dict[str, Any], after: dict[str, Any]):
    expected = {path for path in leaves(after) if lookup(before, path) != lookup(after, path)}

    assert expected == set(differing(before, after))
