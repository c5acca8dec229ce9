"""The API's rules as the models keep them: every rule has an accepted and a rejected example.

Not covered here: the API server's answer to the same examples (integration ring).
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api_examples import EXAMPLES, RULES, Example
from costpolicy.api.crd import custom_resource_definitions
from costpolicy.api.documents import DocumentError, parse_document
from costpolicy.api.model import ApiModel
from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.rules import Rule
from costpolicy.api.types import DURATION_PATTERN
from costpolicy.units import parse_duration
from plain_documents import policy


def declared_rules(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for rule in node.get("x-kubernetes-validations", ()):
            yield rule["message"]
        for child in node.values():
            yield from declared_rules(child)
    if isinstance(node, list):
        for child in node:
            yield from declared_rules(child)


def test_every_declared_rule_has_an_example():
    declared = {message for crd in custom_resource_definitions() for message in declared_rules(crd)}

    without = {message for message in declared if not any(message.startswith(item.says) for item in RULES)}

    assert without == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_accepts_what_keeps_the_rule(example: Example):
    parse_document(example.accepted)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_refuses_what_breaks_the_rule_and_says_so(example: Example):
    with pytest.raises(DocumentError) as refused:
        parse_document(example.rejected)

    assert example.says in str(refused.value)


def test_a_policy_of_three_lines_has_the_documented_defaults():
    spec = CostPolicy.model_validate(policy()).spec

    assert (
        spec.scaling.min_replicas,
        spec.scaling.max_replicas,
        spec.objectives.availability.min_ready_replicas,
    ) == (1, 10, 1)
    assert (
        spec.rollout.minimum_savings,
        spec.rollout.payback_horizon,
        spec.quality.max_loss,
        spec.measurement.window,
    ) == ("5%", "168h", "2%", "168h")
    assert spec.rollout.mode is None
    assert spec.hardware.capacity_types == ()


def test_what_was_read_is_written_the_same():
    document = policy()

    again = CostPolicy.model_validate(CostPolicy.model_validate(document).to_json())

    assert CostPolicy.model_validate(document) == again


def test_two_entries_with_the_same_keys_are_refused_and_named_as_in_json():
    offering = {"accelerator": "nvidia-l4", "capacityType": "OnDemand", "hourly": "0.50", "effectiveFrom": "2026-01-01"}
    other = {**offering, "effectiveFrom": "2026-02-01"}

    PriceBook.model_validate(
        {"metadata": {"name": "ours"}, "spec": {"currency": "USD", "offerings": [offering, other]}}
    )
    with pytest.raises(
        ValidationError,
        match="accelerator nvidia-l4, capacityType OnDemand, effectiveFrom 2026-01-01 occurs twice",
    ):
        PriceBook.model_validate(
            {"metadata": {"name": "ours"}, "spec": {"currency": "USD", "offerings": [offering, offering]}}
        )


def test_a_model_whose_rules_nobody_would_check_cannot_be_declared():
    with pytest.raises(TypeError, match="derive it from RuledModel"):

        class Forgotten(ApiModel):
            rules: ClassVar = (Rule("self.a", "a is needed", bool),)


@given(st.from_regex(DURATION_PATTERN, fullmatch=True).map(str.strip))
def test_every_accepted_duration_can_be_read(text: str):
    assert parse_duration(text).total_seconds() >= 0
