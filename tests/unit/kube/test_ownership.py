"""Whether an apply would change anything, decided from managedFields.

Covered: entries, keyed lists, sets, atomic values, defaults of the API server.  Not covered: that the API
server writes managedFields like this (``tests/integration/kube``).
"""

from copy import deepcopy
from typing import Any

import pytest

from costpolicy.kube.gateway import FieldManager
from costpolicy.kube.ownership import holds, owners_of

OPERATOR, REPLICAS = FieldManager.OPERATOR, FieldManager.REPLICAS

INTENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "a", "namespace": "n", "labels": {"app": "a"}, "finalizers": ["x/y"]},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {"name": "engine", "args": ["--a", "--b"], "ports": [{"containerPort": 8000}]},
                    {"name": "proxy"},
                ],
                "volumes": [{"name": "models", "emptyDir": {}}],
            }
        }
    },
}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {'v:"x/y"': {}}},
    "f:spec": {
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"engine"}': {
                        ".": {},
                        "f:name": {},
                        "f:args": {},
                        "f:ports": {'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                    },
                    'k:{"name":"proxy"}': {".": {}, "f:name": {}},
                },
                "f:volumes": {'k:{"name":"models"}': {".": {}, "f:name": {}, "f:emptyDir": {}}},
            }
        }
    },
}


def live(**changes: Any) -> dict[str, Any]:
    stored = deepcopy(INTENT)
    stored["metadata"] |= {
        "uid": "1",
        "resourceVersion": "7",
        "managedFields": [{"manager": "costpolicy", "operation": "Apply", "fieldsV1": deepcopy(FIELDS)}],
    }
    stored["spec"]["replicas"] = 1
    stored["spec"]["template"]["spec"]["containers"][0]["ports"][0]["protocol"] = "TCP"
    return stored | changes


def test_holds_what_was_applied_and_defaulted() -> None:
    assert holds(live(), INTENT, OPERATOR)


def test_does_not_hold_for_another_manager() -> None:
    assert not holds(live(), INTENT, REPLICAS)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "labels", "app"), "b"),
        (("spec", "template", "spec", "containers", 0, "args"), ["--b", "--a"]),
        (("spec", "template", "spec", "containers", 0, "args"), ["--a", "--b", "--c"]),
        (("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), 8001),
    ],
    ids=["label", "order of arguments", "added argument", "port"],
)
def test_does_not_hold_when_a_value_differs(path: tuple[Any, ...], value: Any) -> None:
    stored = live()
    place: Any = stored
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    assert not holds(stored, INTENT, OPERATOR)


def test_does_not_hold_when_a_field_is_added_to_the_intent() -> None:
    intent = deepcopy(INTENT)
    intent["spec"]["replicas"] = 1

    assert not holds(live(), intent, OPERATOR)


def test_does_not_hold_when_a_field_is_dropped_from_the_intent() -> None:
    intent = deepcopy(INTENT)
    del intent["metadata"]["labels"]["app"]

    assert not holds(live(), intent, OPERATOR)


def test_does_not_hold_when_a_list_item_is_dropped_from_the_intent() -> None:
    intent = deepcopy(INTENT)
    del intent["spec"]["template"]["spec"]["containers"][1]

    assert not holds(live(), intent, OPERATOR)


def test_does_not_hold_when_somebody_else_took_a_field() -> None:
    stored = live()
    del stored["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:labels"]

    assert not holds(stored, INTENT, OPERATOR)


def test_ignores_what_was_written_through_a_subresource() -> None:
    stored = live()
    stored["metadata"]["managedFields"][0]["subresource"] = "status"

    assert not holds(stored, INTENT, OPERATOR)


def test_holds_items_that_others_added_to_a_keyed_list() -> None:
    stored = live()
    stored["spec"]["template"]["spec"]["containers"].insert(1, {"name": "injected"})

    assert holds(stored, INTENT, OPERATOR)


def test_an_empty_intent_holds_only_when_nothing_is_owned() -> None:
    empty = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n"}}

    assert holds(live(), empty, REPLICAS)
    assert not holds(live(), empty, OPERATOR)


def test_owners_of_a_field_are_found_through_every_entry() -> None:
    stored = live()
    stored["metadata"]["managedFields"] += [
        {"manager": "hpa", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "other", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
    ]

    assert owners_of(stored, ("spec", "replicas")) == {"hpa"}
    assert owners_of(stored, ("spec", "template")) == {"costpolicy"}
