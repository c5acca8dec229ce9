"""What a variant was rendered from, written down and read back.

Covered: who proposes tokens and data-parallel ranks, and records of operators that knew nothing of them.  Not covered: every other field
(tests/properties/test_rendering.py), the annotation itself (test_variant.py).
"""

import json

from builders import configuration, variant_inputs
from costpolicy.manifests.record import RECORD_ANNOTATION, read_record
from costpolicy.manifests.variant import render_variant
from costpolicy.planning.configuration import Proposer

PROPOSER = Proposer(method="eagle", tokens=2, model="example/head")


def test_who_proposes_tokens_is_read_back():
    rendered = render_variant(variant_inputs(configuration=configuration(proposer=PROPOSER))).deployment
    record = read_record(rendered)

    assert record is not None
    assert PROPOSER == record.configuration.proposer


def test_a_record_says_nothing_of_what_is_not_planned():
    rendered = render_variant(variant_inputs()).deployment
    written = json.loads(rendered["metadata"]["annotations"][RECORD_ANNOTATION])
    record = read_record(rendered)

    assert not {"proposer", "api_servers", "stream_interval", "data_parallel_size"} & written["configuration"].keys()
    assert record is not None
    assert record.configuration.proposer is None
    assert 1 == record.configuration.data_parallel_size


def test_ranks_are_read_back():
    rendered = render_variant(variant_inputs(configuration=configuration(data_parallel_size=8))).deployment
    record = read_record(rendered)

    assert record is not None
    assert 8 == record.configuration.data_parallel_size
