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
from kubernetes import client

from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.policy_objects import policy_objects
from costpolicy.manifests.record import read_record
from costpolicy.manifests.variant import render_variant
from strategies import configurations, policies, variant_inputs

LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
SECTIONS = ("model", "objectives", "techniques", "engine", "priority_class_name", "deletion_policy")
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


@given(variant_inputs())
def test_rendering_twice_gives_the_same_bytes(inputs):
    assert json.dumps(render_variant(inputs).objects) == json.dumps(render_variant(inputs).objects)


@given(variant_inputs(), policies(), configurations())
def test_equal_hashes_mean_equal_pods(inputs, other, chosen):
    """A Deployment is never rolled in place, so no input may reach the pods past the hash."""
    variant = render_variant(inputs)

    for changed in [
        *(_with_section(inputs, other, section) for section in SECTIONS),
        _with_availability(inputs, other),
        replace(inputs, configuration=chosen),
        replace(inputs, image="registry.example/vllm:2"),
        replace(inputs, grace=inputs.grace + timedelta(seconds=1)),
    ]:
        again = render_variant(changed)
        if again.hash == variant.hash:
            assert variant.deployment["spec"]["template"] == again.deployment["spec"]["template"]


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


def _with_section(inputs: VariantInputs, other, section: str) -> VariantInputs:
    """The inputs with one section of the spec taken from another policy: all else stays, so nothing hides
    it."""
    spec = inputs.policy.spec.model_copy(update={section: getattr(other.spec, section)})
    return replace(inputs, policy=inputs.policy.model_copy(update={"spec": spec}))


def _with_availability(inputs: VariantInputs, other) -> VariantInputs:
    update = {"availability": other.spec.objectives.availability}
    spec = inputs.policy.spec
    spec = spec.model_copy(update={"objectives": spec.objectives.model_copy(update=update)})
    return replace(inputs, policy=inputs.policy.model_copy(update={"spec": spec}))
