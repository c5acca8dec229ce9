"""What a watch event puts on the queue.  Not covered: kopf itself, and what the mirror makes of an event (integration ring)."""

from datetime import timedelta
from typing import Any

import pytest

from costpolicy.kube.gateway import NamespacedName
from costpolicy.runtime.handlers import Intake, router_key

ROUTER = router_key("shop")


def item(kind: str, name: str = "chat", **labels: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"namespace": "shop", "name": name, "labels": labels}}


def queued(event: dict[str, Any], *, news: bool = True) -> list[NamespacedName | timedelta]:
    """The keys that one event makes due, or the pause before all are."""
    found: list[NamespacedName | timedelta] = []
    intake = Intake(observe=lambda _item, _deleted: news, enqueue=found.append, enqueue_all=found.append)
    intake.on_event({"type": "MODIFIED", "object": event})
    return found


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (item("CostPolicy"), NamespacedName("shop", "chat")),
        (item("ModelRoute"), ROUTER),
        (item("Deployment", "chat-0", **{"costpolicy.dev/policy": "chat"}), NamespacedName("shop", "chat")),
        (item("Deployment", "costpolicy-router"), ROUTER),
    ],
    ids=["policy", "route", "engine", "router"],
)
def test_an_event_concerns_one_policy_or_the_router_of_its_namespace(event: dict[str, Any], key: NamespacedName):
    assert queued(event) == [key]


@pytest.mark.parametrize("kind", ["PriceBook", "Node"])
def test_prices_and_nodes_concern_everything_after_a_moment(kind: str):
    assert queued(item(kind)) == [timedelta(seconds=2)]


def test_what_is_no_news_makes_no_work():
    assert queued(item("ModelRoute"), news=False) == []


def test_no_policy_is_called_as_a_router_is():
    assert ROUTER.name == ""
