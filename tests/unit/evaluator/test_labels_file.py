"""The file that labels are collected in: what it keeps over interruptions, and what it lets go.

Not covered: two processes that write at once, which a CronJob forbids.
"""

from datetime import date
from pathlib import Path

import pytest

from costpolicy.evaluator.labels_file import LabelsFile
from costpolicy.routing.labels import Label, LabelError, gathered, parse_labels

DAY = date(2026, 11, 29)
AGES_AGO = date(2000, 1, 1)


def label(prompt: str = "Where is it?", *, weak: bool = True) -> Label:
    return Label(task="search", prompt=prompt, strong=True, weak=weak)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels" / "small.csv"


def filled(path: Path) -> LabelsFile:
    labels = LabelsFile.open(path, AGES_AGO)
    labels.add(label("one"), "k1", date(2026, 11, 1))
    labels.add(label('two, "quoted"\nand a line', weak=False), "k2", DAY)
    return labels


def test_what_is_written_is_what_calibrate_reads(path: Path):
    filled(path)
    one, two = parse_labels(path.read_text())

    assert (("one", True, True), ('two, "quoted"\nand a line', True, False)) == tuple(
        (each.prompt, each.strong, each.weak) for each in (one, two)
    )
    assert (date(2026, 11, 1), DAY) == (one.made, two.made)


def test_a_file_that_is_opened_again_knows_what_was_asked(path: Path):
    filled(path)
    again = LabelsFile.open(path, AGES_AGO)

    assert (2, 1, 1) == (len(again), again.made_on(DAY), again.made_on(date(2026, 11, 1)))
    assert ("k1" in again, "k3" in again) == (True, False)


@pytest.mark.parametrize(("before", "after"), [("", "1-4000-0.5"), ("1-4000-0.5", "1-4000-0.4"), ("1-4000-0.5", "")])
def test_labels_of_one_thing_are_not_counted_for_another(path: Path, before: str, after: str):
    key = f"{before}:k1" if before else "k1"
    LabelsFile.open(path, AGES_AGO, before).add(label(), key, DAY)

    assert key in LabelsFile.open(path, AGES_AGO, before)
    with pytest.raises(LabelError, match="name another file"):
        LabelsFile.open(path, AGES_AGO, after)


def test_labels_that_are_too_old_go(path: Path):
    filled(path)
    again = LabelsFile.open(path, oldest=date(2026, 11, 2))

    assert ("k1" in again, "k2" in again) == (False, True)
    assert ['two, "quoted"\nand a line'] == [each.prompt for each in parse_labels(path.read_text())]


@pytest.mark.parametrize(
    "left", ["search,half a pro", 'search,"a quote that is not clo', "search,three,1,1,2026-11-29"]
)
def test_a_line_that_was_cut_short_is_dropped(path: Path, left: str):
    filled(path)
    with path.open("a") as file:
        file.write(left)
    LabelsFile.open(path, AGES_AGO).add(label("four"), "k4", DAY)

    assert ["one", 'two, "quoted"\nand a line', "four"] == [each.prompt for each in parse_labels(path.read_text())]


def test_a_file_of_somebody_else_is_left_alone(path: Path):
    path.parent.mkdir()
    path.write_text("task,prompt,strong_correct,weak_correct\n")

    with pytest.raises(LabelError, match="name another file"):
        LabelsFile.open(path, AGES_AGO)
    assert "task,prompt,strong_correct,weak_correct\n" == path.read_text()


def test_labels_are_as_old_as_the_one_in_the_middle():
    days = [date(2026, 11, day) for day in (3, 1, 2, 29)]
    labels = [Label(task="", prompt="p", strong=True, weak=True, made=day) for day in days]

    assert date(2026, 11, 2) == gathered(labels)
    assert gathered([label()]) is None
