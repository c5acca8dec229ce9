"""`python -m routing_study [PART...]` (PYTHONPATH=tests) measures these parts anew, or all: minutes on a core of its own."""

import json
import sys
from pathlib import Path

from made_labels import read_labels, real_folder
from routing_study.measuring import calibrations, carried, label_efficiency, scores

TARGET = Path(__file__).parents[2] / "docs" / "generators" / "routing_figures.json"


PARTS = {
    "scores": scores,
    "carried": carried,
    "calibrations": calibrations,
    "labelEfficiency": label_efficiency,
}


def main(parts: list[str]) -> int:
    """Measure and write; 2 if a part is unknown or the labels are not there."""
    if unknown := set(parts) - PARTS.keys():
        print(f"{unknown.pop()} is no part: choose from {', '.join(PARTS)}")
        return 2
    if real_folder() is None:
        print("RouteLLM's labels are not here: name their folder in COSTPOLICY_ROUTING_DATA")
        return 2
    sets = {name: read_labels(name) for name in ("mmlu", "gsm8k")}
    for part in parts or PARTS:
        print(f"measuring {part}", flush=True)
        measured = PARTS[part](sets)
        figures = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
        TARGET.write_text(json.dumps({**figures, part: measured}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
