"""What a tenant may ask, and whose a key is.  Not covered: LiteLLM around it (tests/contract/router)."""

import json
from typing import Any

import pytest

from costpolicy.router_plugin.admission import ASKS, refusal
from costpolicy.router_plugin.keyring import MASTER, Keyring
from costpolicy.router_plugin.request import STEERING
from costpolicy.router_plugin.routes import Routing, parse_routes

ROUTES = frozenset({"chat"})


def routing(*tenants: str) -> Routing:
    given = [{"name": name, "variable": name.upper(), "routes": []} for name in tenants]
    document = {"version": 1, "featureHeader": "x", "metricsPort": 1, "routes": {}, "tenants": given}
    return parse_routes(json.dumps(document))


def refused(path: str = "/v1/chat/completions", query: dict[str, str] | None = None, **body: Any) -> int | None:
    found = refusal(ROUTES, path, query or {}, {"model": "chat"} | body, lambda name: name.startswith("order"))
    return found.status if found else None


@pytest.mark.parametrize("path", sorted(ASKS))
def test_a_tenant_may_ask_its_route_on_each_path_that_asks(path: str):
    assert refused(path) is None
    assert refused(path, model="notes") == refused(path, model="chat/small") == refused(path, model=["chat"]) == 403


def test_what_is_not_named_is_refused():
    assert [403, 403, 403] == [
        refused("/key/generate"),
        refused("/v1/chat/completions/"),
        refused(query={"model": "x"}),
    ]


@pytest.mark.parametrize("field", [*sorted(STEERING), "order66"])
def test_a_field_that_steers_the_router_is_refused(field: str):
    assert 403 == refused(**{field: 1})


def test_what_says_what_asks_and_what_the_engine_takes_may_pass():
    assert refused(metadata={"feature": "x"}, tags=["a"], temperature=0, ignore_eos=True, tools=[]) is None


def test_a_key_belongs_to_its_tenant_alone():
    keyring = Keyring.of(routing("shop", "desk"), {"SHOP": "one", "DESK": "two", MASTER: "three"})
    owners = [keyring.owner(key) for key in ("one", "two", "three", "four", "")]

    assert ["shop", "desk", None, None, None] == [owner.name if owner else None for owner in owners]
    assert [False, False, True, False, False] == [keyring.is_master(key) for key in ("one", "two", "three", "four", "")]


def test_a_tenant_without_a_key_is_nobody():
    keyring = Keyring.of(routing("shop"), {"SHOP": ""})

    assert (None, False) == (keyring.owner(""), keyring.is_master(""))


def test_a_key_that_two_share_is_nobodys_and_one_shared_with_the_administrator_is_the_tenants():
    shared = Keyring.of(routing("shop", "desk"), {"SHOP": "one", "DESK": "one"})
    raised = Keyring.of(routing("shop"), {"SHOP": "one", MASTER: "one"})

    assert shared.owner("one") is None
    assert (raised.owner("one") is not None, raised.is_master("one")) == (True, False)


def test_nothing_of_a_key_is_in_what_python_prints_of_a_keyring():
    keyring = Keyring.of(routing("shop"), {"SHOP": "a-key-of-shop", MASTER: "the-master"})

    assert "a-key-of-shop" not in repr(keyring)
    assert "the-master" not in repr(keyring)
