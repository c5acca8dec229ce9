"""The file with labels: what is read, and what is said about what cannot be read."""

import pytest

from costpolicy.routing.labels import LabelError, parse_labels
from made_labels import as_csv, made_labels

HEAD = "task,prompt,strong_correct,weak_correct\n"


def test_what_was_written_is_read():
    labels = made_labels(20)

    assert labels == parse_labels(as_csv(labels))


def test_prompts_of_several_lines_other_columns_and_a_byte_order_mark_are_read():
    [label] = parse_labels('\ufeffid,task,prompt,weak_correct,strong_correct\n7,t,"one\ntwo, ""three""",FALSE,true\n')

    assert ("t", 'one\ntwo, "three"', True, False) == (label.task, label.prompt, label.strong, label.weak)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line must name the columns"),
        ("task,prompt,strong_correct\n", "weak_correct is missing"),
        (HEAD, "there is no question"),
        (f"{HEAD}t,p,1,2\n", "line 2: weak_correct is '2': write 1"),
        (f"{HEAD}t,p,1\n", "line 2: weak_correct is None"),
        (f"{HEAD}t,p,1,0\nt, ,1,0\n", "line 3: the prompt is empty"),
        (f'{HEAD}t,"p,1,0\n', "line 2: unexpected end of data"),
        (f"{HEAD}t,{'x' * 140_000},1,0\n", "line 2: field larger than"),
    ],
)
def test_a_bad_line_is_named_with_what_to_write(text: str, said: str):
    with pytest.raises(LabelError) as raised:
        parse_labels(text)

    assert said in str(raised.value)
