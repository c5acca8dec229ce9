"""What a complexity score and the whole callback cost the router, in CPU a request."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, cpu_seconds, milliseconds
from costpolicy.router_plugin.garbage import GarbageCollection
from costpolicy.router_plugin.hooks import Hooks
from costpolicy.router_plugin.loading import load
from costpolicy.router_plugin.score import Scorer
from costpolicy.router_plugin.stopping import Stopping
from costpolicy.routing.coefficients import TREES_FROM, fit, generic_coefficients, out_of_fold
from made_labels import made_labels
from router.clients import decided
from router.folder import write_folder

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
    yield _callback(json.dumps(generic_coefficients()), "form")
    yield _callback(json.dumps(fit(labels, out_of_fold(labels))), "all parts")


def _callback(coefficients: str, title: str) -> Figure:
    """Time every step before a request is sent, and the count after its answer."""
    with tempfile.TemporaryDirectory() as work:
        [chat, *others] = decided(tenants=False).routes
        given = replace(decided(tenants=False), routes=(replace(chat, coefficients=coefficients), *others))
        hooks = Hooks(
            load(write_folder(Path(work) / "folder", given, {}, 0)), Stopping(), GarbageCollection(is_needed=False)
        )
        seconds = cpu_seconds(lambda: _call(hooks), 200)
        hooks.pipeline.samples.close()
    return milliseconds(f"the callback's steps, {title}, {len(TYPICAL)} characters", seconds, "2 ms")


def _call(hooks: Hooks) -> None:
    data = {"model": "chat", "max_tokens": 200, "messages": [{"role": "user", "content": TYPICAL}], "metadata": {}}
    hooks.before(data)
    log = {"prompt_tokens": 100, "completion_tokens": 20, "metadata": {}}
    hooks.answered({"litellm_params": {"metadata": data["metadata"]}, "standard_logging_object": log}, None)
