"""What a complexity score costs the router, in CPU a prompt."""

import json
from collections.abc import Iterator

from bench.figures import Figure, cpu_seconds, milliseconds
from costpolicy.router_plugin.score import Scorer
from costpolicy.routing.coefficients import TREES_FROM, fit, generic_coefficients, out_of_fold
from made_labels import made_labels

TYPICAL = " ".join(label.prompt for label in made_labels(6))[:460]
LONG = " ".join(label.prompt for label in made_labels(2000))


def figures() -> Iterator[Figure]:
    """Yield each figure."""
    labels = made_labels(TREES_FROM)
    learned = Scorer.parse(json.dumps(fit(labels, out_of_fold(labels))))
    form = Scorer.parse(json.dumps(generic_coefficients()))
    for title, scorer in (("form", form), ("all parts", learned)):
        for length, text in ((f"{len(TYPICAL)} characters", TYPICAL), (f"{len(LONG):,} characters", LONG)):
            seconds = cpu_seconds(lambda scorer=scorer, text=text: scorer.score(text), 200)  # type: ignore[misc]
            yield milliseconds(f"complexity score, {title}, {length}", seconds, "1 ms")
