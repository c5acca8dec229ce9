"""The ConfigMap of a router: named by its content, not too large, and complete.

Not covered: that LiteLLM loads what is in it (tests/router).
"""

import json
from typing import Any

import pytest
import yaml

from costpolicy.manifests.router.configuration import (
    MOST_BYTES,
    ConfigurationTooLargeError,
    configuration,
    configuration_name,
    router_files,
)
from costpolicy.manifests.router.inputs import Cap, Router
from costpolicy.manifests.router.router_objects import router_objects
from costpolicy.manifests.router.routes_file import routes_document
from routers import full_router, route, router, secret, tier


def paths(of: Router) -> dict[str, str]:
    return {file.path: file.text for file in router_files(of)}


def test_its_name_is_ten_digits_of_its_content():
    name = configuration_name(router())

    assert name.startswith("costpolicy-router-")
    assert 10 == len(name.removeprefix("costpolicy-router-"))
    assert name == configuration_name(router()) == configuration(router())["metadata"]["name"]
    assert name != configuration_name(router(route(features=("search",))))


@pytest.mark.parametrize("change", [{"replicas": 5}, {"image": "other@sha256:1"}, {"master_key": secret("other")}])
def test_what_is_in_no_file_does_not_change_its_name(change: dict[str, Any]):
    assert configuration_name(router()) == configuration_name(router(**change))


def test_it_cannot_change():
    assert configuration(router())["immutable"] is True


def test_every_key_is_one_that_a_config_map_may_have():
    keys = configuration(full_router())["data"]

    assert [] == [
        key for key in keys if not set(key) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")
    ]
    assert len(keys) == len(paths(full_router()))


def test_every_file_is_mounted_at_its_place():
    objects = router_objects(router(), monitored=False)
    [volume] = [each for each in objects[3]["spec"]["template"]["spec"]["volumes"] if "configMap" in each]

    assert objects[0]["metadata"]["name"] == volume["configMap"]["name"]
    assert objects[0]["data"] == {item["key"]: paths(router())[item["path"]] for item in volume["configMap"]["items"]}


def test_modules_are_those_of_this_package_and_parse():
    files = paths(router())
    modules = {path: text for path, text in files.items() if path.endswith(".py")}

    assert {"router_plugin/__init__.py", "router_plugin/score.py", "costpolicy_drain.py"} <= modules.keys()
    for path, text in modules.items():
        compile(text, path, "exec")


def test_what_litellm_and_the_callback_read_is_yaml_and_json():
    files = paths(full_router())

    assert {"model_list", "router_settings", "litellm_settings", "general_settings"} == yaml.safe_load(
        files["config.yaml"]
    ).keys()
    assert routes_document(full_router()) == json.loads(files["routes.json"])


def test_each_score_lies_where_the_routes_say():
    files = paths(full_router())
    chat = json.loads(files["routes.json"])["routes"]["chat"]

    assert '{"of": "chat"}' == files[chat["coefficients"]]
    assert '{"of": "medium"}' == files[chat["tiers"][1]["coefficients"]]


def test_names_that_look_alike_do_not_share_a_score():
    """A route may be called as another file of the folder, and one with a dot as a tier of another."""
    dotted = route("routes.b", coefficients="3")
    plain = route("routes", coefficients="1", tiers=(tier("b", coefficients="2"), tier("large")))
    files = paths(router(plain, dotted))

    assert {"1", "2", "3"} == {text for path, text in files.items() if path.startswith("score_")}
    assert json.loads(files["routes.json"])["version"] == 1


def test_too_large_a_configuration_is_refused_with_what_to_do():
    crowded = router(*(route(f"r{number}", coefficients="x" * 100_000) for number in range(6)))

    with pytest.raises(ConfigurationTooLargeError, match=r"takes \d+ KiB, more than 512: move ModelRoutes"):
        router_objects(crowded, monitored=False)


def test_four_routes_with_scores_fit():
    """A score takes some 80 KB."""
    objects = router_objects(
        router(*(route(f"r{number}", coefficients="x" * 80_000) for number in range(4))), monitored=False
    )

    assert MOST_BYTES > sum(len(text.encode()) for text in objects[0]["data"].values())


def test_what_is_not_given_is_absent():
    chat = routes_document(router())["routes"]["chat"]

    assert {"trusted", "tiers"} == chat.keys()
    assert [{"name": "small", "policy": "llama-8b"}, {"name": "large", "policy": ""}] == chat["tiers"]


def test_a_cap_may_be_of_either_kind():
    chat = routes_document(router(route(caps={"a": Cap(max_tokens=5), "b": Cap(stop=(";",)), "": Cap()})))["routes"][
        "chat"
    ]

    assert {"": {}, "a": {"maxTokens": 5}, "b": {"stop": [";"]}} == chat["caps"]


def test_samples_of_a_route_have_a_folder_of_their_own():
    chat = routes_document(full_router())["routes"]["chat"]

    assert {
        "share": 0.01,
        "perDay": 500,
        "folder": "/samples/traffic/chat",
        "retentionSeconds": 2592000,
        "compression": {"minimum": 4000, "ratio": 0.5},
    } == chat["sampling"]
