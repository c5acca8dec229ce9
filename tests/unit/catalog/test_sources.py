"""The loader of catalogue files: shapes, and the line of whatever is wrong.

Covered: syntax errors, duplicate keys, wrong, missing and unknown fields, faults that only the whole file shows.
Not covered: the packaged files themselves (see the tests of what they hold).
"""

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from costpolicy.catalog.sources import CatalogError, read_document


class Machine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    gears: list[int] = []


SHAPE = TypeAdapter(list[Machine])
GOOD = "- name: crane\n  gears: [1, 2]\n- name: winch\n"


def test_reads_a_good_file() -> None:
    document = read_document(GOOD, "machines.yaml", SHAPE)
    assert [Machine(name="crane", gears=[1, 2]), Machine(name="winch")] == document.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "machines.yaml:1: the file is empty"),
        ("# nothing but a comment\n", "machines.yaml:1: the file is empty"),
        ("- name: crane\n  gears: [1\n- name: winch\n", "machines.yaml:3: did not find expected ',' or ']'"),
        ("- name: crane\n  name: winch\n", "machines.yaml:2: the key 'name' is here twice"),
        (
            "- name: crane\n  gears:\n    - 1\n    - two\n",
            "machines.yaml:4: 0.gears.1: Input should be a valid integer",
        ),
        (GOOD + "- gears: [3]\n", "machines.yaml:4: 2.name: Field required"),
        (GOOD + "- name: jack\n  wheels: 4\n", "machines.yaml:5: 2.wheels: Extra inputs are not permitted"),
        ("name: crane\n", "machines.yaml:1: Input should be a valid list"),
        ("- name: !!python/object:os.system crane\n", "machines.yaml:1: could not determine a constructor"),
        ("- name: crane\n--- \n- name: winch\n", "machines.yaml:2: but found another document"),
        ("- name: \x07\n", "machines.yaml:1: "),
    ],
)
def test_names_the_line_of_a_fault(text: str, expected: str) -> None:
    with pytest.raises(CatalogError) as caught:
        read_document(text, "machines.yaml", SHAPE)
    assert str(caught.value).startswith(expected)
    assert caught.value.filename == "machines.yaml"


def test_points_at_what_only_the_whole_file_shows() -> None:
    document = read_document(GOOD, "machines.yaml", SHAPE)
    assert "machines.yaml:3: 1.name: taken" == str(document.error((1, "name"), "taken"))
    assert 2 == document.error((0, "gears", 7), "no such gear").line
