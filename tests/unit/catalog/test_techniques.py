"""The techniques: complete, consistent with the policy's fields and the engine's arguments, and broken files refused."""

import pytest

from costpolicy.api.policy import Techniques
from costpolicy.catalog.engines import supported_engines
from costpolicy.catalog.sources import CatalogError, read_packaged
from costpolicy.catalog.techniques import load_techniques, techniques


def test_every_field_of_a_policys_techniques_is_explained():
    fields = {f"spec.techniques.{field.alias or name}" for name, field in Techniques.model_fields.items()}
    assert fields == {technique.field for technique in techniques().values() if technique.field}


def test_every_argument_exists_in_some_release():
    known = {flag.name for release in supported_engines() for flag in release.flags}
    assert set() == {name for technique in techniques().values() for name in technique.arguments} - known


def test_only_lossless_techniques_may_pass_without_the_gate():
    assert {"prefix-caching", "batching", "speculative-decoding", "retry-storms"} <= {
        technique.name for technique in techniques().values() if not technique.alters_answers
    }
    assert techniques()["quantization"].alters_answers
    assert techniques()["kv-cache-quantization"].alters_answers


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("altersAnswers: false", "altersAnswers: perhaps", "altersAnswers"),
        ("{low: 30%, high: 60%", "{low: 70%, high: 60%", "low is above high"),
        ("name: quantization", "name: prefix-caching", "prefix-caching is here twice"),
        ("effort: medium", "effort: huge", "effort"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(old, new, message):
    text = read_packaged("techniques.yaml")
    with pytest.raises(CatalogError, match=rf"^techniques\.yaml:[0-9]+: .*{message}"):
        load_techniques(text.replace(old, new, 1))
