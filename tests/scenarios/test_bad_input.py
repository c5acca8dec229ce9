"""Everything that can be wrong with what the operator is given: it says what and what to do, and changes nothing.

Covered: policies that contradict the catalogue, the prices, the nodes or each other, each as a new policy and as an
edit of one that serves; what older schemas let in; price books; names that are taken.
Not covered: metrics (test_bad_metrics.py), what the API server refuses by itself (tests/integration/api), the command
line (tests/unit/cli), broken data files (tests/unit/cli, tests/unit/runtime/test_main.py).
"""

from typing import Any

import pytest

from costpolicy.simulation.traffic import Constant, Traffic
from costpolicy.simulation.world import World
from stories import (
    H100,
    KEY,
    L40S,
    MINUTE,
    QUARTER,
    chat,
    children,
    conditions,
    deployments,
    message,
    prices,
    reasons,
    reference_of,
    runs_on,
    serving,
    world,
)

HUGGING_FACE = {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B"}}
VOLUME = {"volume": {"claimName": "models", "path": "llama"}}
HOST_PATH = {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]}
EVERY_NIGHT = [{"schedule": "0 25 * * *", "minReplicas": 0, "maxReplicas": 0}]

WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown model": (
        {"model": {"source": {"huggingFace": {"repository": "nobody/knows-7b"}}}},
        "UnknownModel",
        "state its sizes in spec.model.architecture",
    ),
    "unknown accelerator": (
        {"hardware": {"accelerators": ["nvidia-h100-80g"]}},
        "UnknownAccelerator",
        "did you mean nvidia-h100-80gb?",
    ),
    "unknown argument": ({"engine": {"extraArgs": ["--no-such-flag"]}}, "UnknownArgument", "exit code 2; take it out"),
    "argument that the plan owns": (
        {"engine": {"extraArgs": ["--tensor-parallel-size=2"]}},
        "ArgumentOwnedByPlan",
        "spec.engine.extraArgs: --tensor-parallel-size: is decided by the plan; take it out",
    ),
    "another currency": (
        {"budget": {"hourly": "5.00", "currency": "EUR"}},
        "CurrencyMismatch",
        "state the budget in USD",
    ),
    "engine that nobody supports": ({"engine": {"version": "0.1"}}, "EngineUnsupported", "0.11 to 0.33"),
    "host path": ({"engine": {"pod": HOST_PATH}}, "PodNotAllowed", "use a claim"),
    "schedule": ({"scaling": {"schedules": EVERY_NIGHT}}, "InvalidSchedule", "such as '0 22 * * 1-5'"),
    "objective out of reach": (
        {"objectives": {"ttft": {"p95": "1ms"}}},
        "ObjectiveUnreachable",
        "ease spec.objectives",
    ),
    "no price": (
        {"hardware": {"accelerators": ["nvidia-h200"]}},
        "NoPrice",
        "add an offering with its hourly price to a PriceBook",
    ),
    "no node": ({"hardware": {"accelerators": ["nvidia-l4"]}}, "NoNodes", "maxNodes"),
    "too large a model": (
        {
            "model": {"source": {"huggingFace": {"repository": "meta-llama/Llama-3.1-70B"}}},
            "objectives": {"ttft": {"p95": "30s"}},
            "hardware": {"accelerators": [L40S], "maxAccelerators": 1},
        },
        "MaxAccelerators",
        "raise spec.hardware.maxAccelerators",
    ),
    "too small a budget": ({"budget": {"hourly": "0.50"}}, "BudgetExceeded", "raise spec.budget"),
}
"""A spec, the reason of ``Stalled``, and what its message must say."""
SOURCE = {"huggingFace": {"repository": "meta-llama/Llama-3.1-8B-Instruct"}, "volume": None}
ONE_SOURCE = "spec.model.source: a source needs exactly one of huggingFace, volume and image"
UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "both sources": ({"model": {"source": HUGGING_FACE | VOLUME}}, ONE_SOURCE),
    "no source": ({"model": {"source": {"huggingFace": None}}}, ONE_SOURCE),
    "negative money": ({"budget": {"hourly": "-1.00"}}, "spec.budget.hourly: '-1.00' is not an amount of money"),
    "malformed money": ({"budget": {"hourly": "1,50"}}, "spec.budget.hourly: '1,50' is not an amount of money"),
    "negative duration": (
        {"objectives": {"ttft": {"p95": "-500ms"}}},
        "spec.objectives.ttft.p95: '-500ms' is not a duration: write whole numbers with ms, s, m or h",
    ),
    "malformed duration": (
        {"objectives": {"ttft": {"p95": "half a second"}}},
        "spec.objectives.ttft.p95: 'half a second' is not a duration: write whole numbers with ms, s, m or h",
    ),
    "malformed currency": ({"budget": {"hourly": "1.00", "currency": "dollars"}}, "spec.budget.currency: 'dollars'"),
    "unknown field": ({"wish": "a pony"}, "spec.wish: this field does not exist: take it out"),
}
"""A change of a stored spec that no schema of today would let in, and what the message must say."""
OFFERED = [
    {"accelerator": name, "capacityType": "OnDemand", "hourly": hourly}
    for name, hourly in ((H100, "4.50"), (L40S, "1.86"), ("nvidia-l4", "0.80"))
]


def decide_again(made: World) -> None:
    """Let the operator look a few times; the simulated engines themselves need a policy that can be read."""
    for _ in range(3):
        made._reconciler.reconcile(*KEY)
        made.clock.advance(MINUTE)


def offering_l4_too(made: World) -> World:
    made.apply(prices() | {"spec": {"currency": "USD", "offerings": OFFERED}})
    return made


@pytest.mark.parametrize("what", WRONG)
def test_a_new_policy_is_stalled_says_what_to_do_and_nothing_is_created(what: str):
    spec, reason, says = WRONG[what]
    made = offering_l4_too(world())
    made.apply(chat(**spec))
    made.run(3 * MINUTE)

    assert [] == children(made)
    assert {"Ready": ("False", reason), "Stalled": ("True", reason), "Reconciling": ("False", reason)} == {
        kind: found for kind, found in conditions(made).items() if kind in ("Ready", "Stalled", "Reconciling")
    }
    assert says in message(made, "Stalled")
    assert 1 == reasons(made).count(reason)


@pytest.mark.parametrize("what", WRONG)
def test_an_edit_of_what_serves_is_stalled_and_what_serves_is_left_as_it_is(what: str):
    spec, reason, says = WRONG[what]
    made = offering_l4_too(serving())
    before = children(made)
    made.apply(chat(**spec))
    decide_again(made)

    if reason != "BudgetExceeded":  # a budget stops growth, never service: that is not Stalled
        assert ("True", reason) == conditions(made)["Stalled"]
        assert says in message(made, "Stalled")
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert [_spec(item) for item in before] == [_spec(item) for item in children(made)]


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_an_older_schema_let_in_is_told_and_what_serves_is_left_as_it_is(what: str):
    made = serving()
    before = children(made)
    spec, says = UNREADABLE[what]
    made.store.edit(reference_of(), {"spec": spec}, "kubectl-edit")
    decide_again(made)

    assert ("True", "InvalidPolicy") == conditions(made)["Stalled"]
    assert says in message(made, "Stalled")
    assert before == children(made)

    mended = {"wish": None, "budget": None, "objectives": {"ttft": {"p95": "500ms"}}, "model": {"source": SOURCE}}
    made.store.edit(reference_of(), {"spec": mended}, "kubectl-edit")
    decide_again(made)
    assert ("False", "Serving") == conditions(made)["Stalled"]
    assert [_spec(item) for item in before] == [_spec(item) for item in children(made)]


def _spec(item: dict[str, Any]) -> tuple[str, str, Any]:
    return item["kind"], item["metadata"]["name"], item["spec"]


@pytest.mark.parametrize("kind", ["Deployment", "Service"])
def test_an_object_of_the_planned_name_that_is_somebody_elses_is_left_alone(kind: str):
    planned = next(item for item in children(serving()) if item["kind"] == kind)
    metadata = {"name": planned["metadata"]["name"], "namespace": "default", "labels": {"app": "theirs"}}
    theirs = {**planned, "metadata": metadata}
    made = world()
    stored = made.store.create(theirs, "somebody")
    made.apply(chat())
    decide_again(made)

    assert ("True", "NameTaken") == conditions(made)["Stalled"]
    assert "rename the policy or delete that object" in message(made, "Stalled")
    assert stored["spec"] == _now(made, kind)["spec"]
    assert {"app": "theirs"} == _now(made, kind)["metadata"]["labels"]
    assert 1 == reasons(made).count("NameTaken")


def _now(made: World, kind: str) -> dict[str, Any]:
    return next(item for item in children(made) if item["kind"] == kind and "app" in item["metadata"]["labels"])


def test_of_two_policies_with_one_model_name_the_older_one_serves():
    made = serving(model={"name": "llama"})
    made.apply(chat("late", model={"name": "llama"}))
    made.run(3 * MINUTE)

    assert ("True", "ModelNameTaken") == conditions(made, "late")["Stalled"]
    assert "the policy chat already serves a model called llama" in message(made, "Stalled", "late")
    assert ("True", "Serving") == conditions(made)["Ready"]
    assert [] == deployments(made, "late")


def test_a_name_at_the_length_limit_works_like_any_other():
    name = "a" * 40
    made = world()
    made.apply(chat(name))
    made.traffic["default", name] = Traffic(curve=Constant(1.0))
    made.run(QUARTER)

    assert ("True", "Serving") == conditions(made, name)["Ready"]


def test_a_price_book_that_names_an_unknown_accelerator_loses_that_line_only():
    made = world()
    offerings = [*OFFERED, {"accelerator": "nvidia-b9000", "capacityType": "OnDemand", "hourly": "0.01"}]
    made.apply(prices() | {"spec": {"currency": "USD", "offerings": offerings}})
    made.apply(chat())
    made.run(QUARTER)

    assert [(L40S, 1)] == runs_on(made)
    assert ("True", "Serving") == conditions(made)["Ready"]


def _unreadable_book(made: World) -> None:
    offering = {"accelerator": L40S, "capacityType": "OnDemand", "hourly": "-1.86"}
    made.apply(prices() | {"spec": {"currency": "USD", "offerings": [offering]}})


def test_a_price_book_that_cannot_be_read_is_named_where_its_prices_are_missed():
    made = world()
    _unreadable_book(made)
    made.apply(chat())
    decide_again(made)

    assert [] == children(made)
    assert ("True", "NoPrice") == conditions(made)["Stalled"]
    assert "PriceBook prices is not used: spec.offerings[0].hourly: '-1.86' is not an amount" in message(
        made, "Stalled"
    )


def test_what_serves_stays_when_its_price_book_can_no_longer_be_read():
    made = serving()
    before = children(made)
    _unreadable_book(made)
    decide_again(made)

    assert ("True", "Serving") == conditions(made)["Ready"]
    assert [_spec(item) for item in before] == [_spec(item) for item in children(made)]
