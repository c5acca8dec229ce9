"""Rendering, for any policy and configuration.

Covered: bytes are stable, equal hashes mean equal pods, names and labels are legal, the record renders the
same again, what the client's models do not know cannot be rendered. Not covered: what the API server and the
engine say (tests/contract/manifests).
"""

import json
import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from kubernetes import client

from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.policy_objects import policy_objects
from costpolicy.manifests.record import read_record
from costpolicy.manifests.variant import render_variant
from strategies import configurations, policies, variant_inputs

LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


@given(variant_inputs())
def test_rendering_twice_gives_the_same_bytes(inputs):
    assert json.dumps(render_variant(inputs).objects) == json.dumps(render_variant(inputs).objects)


@given(variant_inputs(), st.data())
def test_equal_hashes_mean_equal_pods(inputs, data):
    """A Deployment is never rolled in place, so no input may reach the pods past the hash."""
    other = data.draw(
        st.one_of(
            policies().map(lambda policy: replace(inputs, policy=_renamed(policy, inputs))),
            configurations().map(lambda chosen: replace(inputs, configuration=chosen)),
            st.just(replace(inputs, image="registry.example/vllm:2")),
            st.just(replace(inputs, grace=inputs.grace + timedelta(seconds=1))),
        )
    )

    first, second = render_variant(inputs), render_variant(other)

    if first.hash == second.hash:
        assert first.deployment["spec"]["template"] == second.deployment["spec"]["template"]
    else:
        assert first.name != second.name


@given(variant_inputs())
def test_names_and_labels_are_legal(inputs):
    variant = render_variant(inputs)
    objects = [*variant.objects, *policy_objects(inputs.policy, variant.hash, 2, monitored=True)]

    for item in objects:
        assert DNS_LABEL.fullmatch(item["metadata"]["name"])
        assert 63 >= len(item["metadata"]["name"])
    labels = [item["metadata"]["labels"] for item in objects]
    labels.append(variant.deployment["spec"]["template"]["metadata"]["labels"])
    values = {value for each in labels for value in each.values()}
    assert set() == {value for value in values if len(value) > 63 or not LABEL_VALUE.fullmatch(value)}


@given(variant_inputs())
def test_the_record_renders_the_same_variant_again(inputs):
    variant = render_variant(inputs)
    record = read_record(variant.deployment)

    assert record is not None
    assert variant == render_variant(record.inputs(inputs.policy))


@given(variant_inputs())
def test_the_clients_own_models_read_every_object_back(inputs):
    variant = render_variant(inputs)

    client.V1Deployment.model_validate(variant.objects[0])
    client.V1Service.model_validate(variant.objects[1])


@given(variant_inputs())
def test_the_selector_matches_the_pods_of_its_template(inputs):
    spec = render_variant(inputs).deployment["spec"]

    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def _renamed(policy, inputs: VariantInputs):
    """The policy under the name of the inputs' own, whose labels are part of the pods."""
    return policy.model_copy(update={"metadata": inputs.policy.metadata})
