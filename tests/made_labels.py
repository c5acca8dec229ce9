"""Labelled questions that are made, and the real ones where they are at hand.

Made questions have a difficulty, which their words and their form betray a little; both models fail more often where it
is high, the weak one sooner. So what a score can find is there, and so is chance.

The real ones (RouteLLM's outcomes of gpt-4-1106 and Mixtral-8x7B on MMLU and GSM8K, Apache-2.0) are no part of the
project. They are looked for in the folder that COSTPOLICY_ROUTING_DATA names, or beside the repository.
"""

import csv
import io
import os
import random
from functools import cache
from pathlib import Path

import pytest

from costpolicy.routing.coefficients import OutOfFold, out_of_fold
from costpolicy.routing.labels import COLUMNS, Label, parse_labels

_FOLDERS = ("shared", "data", "routing")
EASY = (
    "what",
    "is",
    "the",
    "name",
    "of",
    "this",
    "when",
    "was",
    "it",
    "seen",
    "in",
    "our",
    "by",
    "my",
    "old",
    "friend",
)
HARD = ("Prove", "derive", "eigenvalue", "Hilbert", "manifold", "Banach", "polynomial", "residue", "integral", "Galois")
PLAIN = (
    "river",
    "stone",
    "paper",
    "window",
    "morning",
    "table",
    "letter",
    "market",
    "bread",
    "winter",
    "street",
    "music",
)


@cache
def made_labels(count: int, seed: int = 0) -> tuple[Label, ...]:
    """Return made questions; the strong model is right on about 91 % of them and the weak one on 64 %."""
    dice = random.Random(seed)
    return tuple(_made(dice, index) for index in range(count))


@cache
def held_out(count: int) -> OutOfFold:
    """Return what scores say of so many made questions; tests share them, because fits take time."""
    return out_of_fold(made_labels(count))


def _made(dice: random.Random, index: int) -> Label:
    difficulty = dice.random()
    words = [
        dice.choice(HARD if dice.random() < 0.6 * difficulty else (EASY if dice.random() < 0.5 else PLAIN))
        for _ in range(dice.randint(8, 20) + round(10 * difficulty * dice.random()))
    ]
    strong = dice.random() < 0.99 - 0.25 * difficulty**2
    weak = dice.random() < 0.99 - 0.7 * difficulty
    return Label(task="made", prompt=f"{' '.join(words)} {index}?", strong=strong, weak=weak)


def as_csv(labels: tuple[Label, ...]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows((label.task, label.prompt, int(label.strong), int(label.weak)) for label in labels)
    return file.getvalue()


def real_folder() -> Path | None:
    """Where the real ones are; None if they are not at hand."""
    named = os.environ.get("COSTPOLICY_ROUTING_DATA")
    folder = Path(named) if named else Path(__file__).parents[2].joinpath(*_FOLDERS)
    return folder if (folder / "mmlu.csv").exists() else None


@cache
def read_labels(name: str) -> tuple[Label, ...]:
    """Return ``mmlu`` or ``gsm8k``, where they are at hand."""
    folder = real_folder()
    assert folder is not None
    return parse_labels((folder / f"{name}.csv").read_text(encoding="utf-8"))


def real_labels(name: str) -> tuple[Label, ...]:
    """Return the same; a test that asks for them is skipped, with the reason, where they are not."""
    if real_folder() is None:
        pytest.skip("RouteLLM's labels are not here: name their folder in COSTPOLICY_ROUTING_DATA")
    return read_labels(name)
