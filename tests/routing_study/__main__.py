"""`python -m routing_study` (PYTHONPATH=tests) measures everything anew; half an hour on one core."""

import json
import sys
from pathlib import Path

from made_labels import read_labels, real_folder
from routing_study.measuring import calibrations, carried, label_efficiency, scores

TARGET = Path(__file__).parents[2] / "docs" / "generators" / "routing_figures.json"


def main() -> int:
    """Measure and write; 2 if the labels are not there."""
    if real_folder() is None:
        print("RouteLLM's labels are not here: name their folder in COSTPOLICY_ROUTING_DATA")
        return 2
    sets = {name: read_labels(name) for name in ("mmlu", "gsm8k")}
    found = {}
    for title, measure in (
        ("scores", scores),
        ("carried", carried),
        ("calibrations", calibrations),
        ("labelEfficiency", label_efficiency),
    ):
        print(f"measuring {title}", flush=True)
        found[title] = measure(sets)
        TARGET.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
