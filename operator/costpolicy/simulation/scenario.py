"""A scenario: a cluster, policies, their traffic, what happens when, and what must come of it.  A YAML document."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, ClassVar, Final

from pydantic import Field, TypeAdapter

from costpolicy.api.documents import in_words
from costpolicy.api.model import ApiModel, RuledModel
from costpolicy.api.policy import CostPolicySpec
from costpolicy.api.pricebook import PriceBookSpec
from costpolicy.api.rules import exactly_one
from costpolicy.api.types import (
    AcceleratorName,
    DurationText,
    Flag,
    ObjectName,
    PositiveDurationText,
    PositiveRatioText,
    RatioText,
)
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.models import models
from costpolicy.catalog.sources import CatalogError, Document, read_document
from costpolicy.observe.questions import QUESTIONS
from costpolicy.simulation.engine import Efficiency
from costpolicy.simulation.shape import TrafficDocument
from costpolicy.units import parse_duration, parse_ratio

START: Final = datetime(2026, 11, 23, tzinfo=UTC)
"""When scenarios begin: a Monday, at midnight."""
NAMESPACE: Final = "default"
MOST_RESOLUTION: Final = timedelta(minutes=3)
MOST_LENGTH: Final = timedelta(hours=2000)
Count = Annotated[int, Field(ge=1, le=1000)]
Changes = Annotated[int, Field(ge=0, le=1000)]


class NodeDocument(ApiModel):
    """A node that is there from the beginning, unless an event adds it."""

    name: ObjectName
    """Its name, by which events remove it and bring it back."""
    accelerator: AcceleratorName
    """What it carries."""
    count: Count
    """How many of them."""
    spot: Flag = False
    """Whether it may be interrupted."""
    later: Flag = False
    """Not there at the beginning."""


class Expectations(ApiModel):
    """What must come of it, for each policy."""

    inside: RatioText = "99%"
    """Share of all requests inside the objectives, at least."""
    behind_static_peak: RatioText = "0.5%"
    """Points that this share may be below that of the static deployment for the peak."""
    behind_best: RatioText | None = None
    """Where the scenario takes capacity away: points below the best that any plan could do, instead of the above."""
    below_static_peak: RatioText = "0"
    """Share of the static deployment's cost that is saved, at least."""
    changes_per_hour: Changes = 1
    """Changes of configuration in any hour, at most."""
    changes_per_day: Changes = 4
    """The same in any day."""
    changes_after_first_day: Changes | None = None
    """The same from the second day on, in all."""


class PolicyDocument(ApiModel):
    """A policy and what its clients send."""

    name: ObjectName
    """Its name; the namespace is default."""
    spec: CostPolicySpec
    """As in a CostPolicy."""
    traffic: TrafficDocument
    """What clients send."""
    created: DurationText = "0s"
    """When it is created, after the beginning."""
    expect: Expectations | None = None
    """What must come of this policy, instead of what the scenario expects of all."""


class Metrics(ApiModel):
    """What Prometheus answers from now on."""

    away: Flag = False
    """No question is answered."""
    scraped: RatioText = "100%"
    """Share of the engines of each variant that it sees."""
    missing: tuple[str, ...] = ()
    """Questions of the operator that find no series (names in observe/fleet.py)."""


class Event(RuledModel):
    """Something that happens: exactly one of its members."""

    at: DurationText
    """When, after the beginning."""
    prices: PriceBookSpec | None = None
    """Other prices."""
    remove_nodes: tuple[ObjectName, ...] | None = None
    """Nodes that are gone at once, with their pods."""
    announce_nodes: tuple[ObjectName, ...] | None = None
    """Nodes that get the notice that they will be taken away; what runs there goes on running."""
    add_nodes: tuple[ObjectName, ...] | None = None
    """Nodes of the scenario that come, or come back."""
    metrics: Metrics | None = None
    """What Prometheus answers from now on."""
    load_time: DurationText | None = None
    """What engines need on top of their usual load time from now on."""
    crashing: tuple[AcceleratorName, ...] | None = None
    """Accelerators on which engines that start from now on die."""

    rules: ClassVar = (
        exactly_one(
            "an event", "prices", "removeNodes", "announceNodes", "addNodes", "metrics", "loadTime", "crashing"
        ),
    )


class Engines(ApiModel):
    """What engines reach of the peaks of their accelerator's data sheet.

    The default makes them about as fast as measured engines: a replica of an 8B model with 1,000 + 250 tokens saturates
    10 % above what is planned for it on L40S, A100 and H100.
    """

    bandwidth: PositiveRatioText = "0.75"
    """Share of the memory bandwidth."""
    arithmetic: PositiveRatioText = "0.6"
    """Share of the 16-bit arithmetic."""


class Scenario(ApiModel):
    """A scenario."""

    name: ObjectName
    """Its name."""
    about: Annotated[str, Field(min_length=1, max_length=300)]
    """What happens, in a sentence."""
    length: PositiveDurationText = "168h"
    """How long it lasts."""
    resolution: PositiveDurationText = "1m"
    """Step of time: the operator looks, traffic is served and metrics are scraped once a step, at most 3m."""
    prices: PriceBookSpec
    """Prices at the beginning."""
    nodes: tuple[NodeDocument, ...]
    """The cluster."""
    policies: Annotated[tuple[PolicyDocument, ...], Field(min_length=1, max_length=16)]
    """What is served."""
    priority_classes: Mapping[ObjectName, int] = Field(default_factory=dict)
    """PriorityClasses of the cluster and their values; pods of a higher one take the place of those of a lower one."""
    events: tuple[Event, ...] = ()
    """What happens."""
    engines: Engines = Field(default_factory=Engines)
    """How fast engines are."""
    expect: Expectations = Field(default_factory=Expectations)
    """What must come of it."""

    @property
    def duration(self) -> timedelta:
        """How long it lasts."""
        return parse_duration(self.length)

    @property
    def efficiency(self) -> Efficiency:
        """How fast engines are."""
        return Efficiency(
            bandwidth=float(parse_ratio(self.engines.bandwidth)), arithmetic=float(parse_ratio(self.engines.arithmetic))
        )


class ScenarioError(ValueError):
    """A scenario cannot be played: file, line, field and what to do."""


def shipped() -> Mapping[str, Scenario]:
    """Return the scenarios of this package by name."""
    found = (load_scenario(file.read_text(encoding="utf-8"), file.name) for file in _files())
    return {scenario.name: scenario for scenario in found}


def shipped_scenario(name: str) -> Scenario:
    """Return one scenario of this package.

    Raises:
        LookupError: there is none of that name.
    """
    return load_scenario(shipped_text(name), f"{name}.yaml")


def shipped_text(name: str) -> str:
    """Return the document of a scenario of this package.

    Raises:
        LookupError: there is none of that name.
    """
    file = next((file for file in _files() if file.name == f"{name}.yaml"), None)
    if file is None:
        raise LookupError(f"no scenario is called {name}: costpolicy simulate --list names them")
    return file.read_text(encoding="utf-8")


def load_scenario(text: str, filename: str) -> Scenario:
    """Read one scenario.

    Raises:
        ScenarioError: it is no scenario, or names what is not there.
    """
    try:
        document = read_document(text, filename, TypeAdapter(Scenario), in_words)
        _check(document)
    except CatalogError as error:
        raise ScenarioError(str(error)) from None
    return document.value


def _files() -> list[Traversable]:
    folder = files(__package__).joinpath("scenarios")
    return sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)


def _check(document: Document[Scenario]) -> None:
    """Check what only the whole document can show.

    Raises:
        CatalogError: something is named that is not there.
    """
    scenario = document.value
    if parse_duration(scenario.resolution) > MOST_RESOLUTION:
        raise document.error(
            ("resolution",), "is more than 3m: the operator acts on no older samples; write 3m or less"
        )
    if scenario.duration > MOST_LENGTH:
        raise document.error(("length",), "is more than 2000h: write less")
    for index, node in enumerate(scenario.nodes):
        if node.accelerator not in accelerators():
            names = ", ".join(accelerators())
            raise document.error(("nodes", index, "accelerator"), f"{node.accelerator} is not one of {names}")
    for index, event in enumerate(scenario.events):
        _check_event(document, index, event)
    for index, policy in enumerate(scenario.policies):
        if models().resolve(repository_of(policy.spec)) is None:
            raise document.error(
                ("policies", index, "spec", "model"),
                "a simulated engine needs the sizes of its model: take a repository of the catalogue (huggingFace)",
            )


def _check_event(document: Document[Scenario], index: int, event: Event) -> None:
    known = {node.name for node in document.value.nodes}
    for field, nodes in (
        ("removeNodes", event.remove_nodes),
        ("announceNodes", event.announce_nodes),
        ("addNodes", event.add_nodes),
    ):
        if unknown := set(nodes or ()) - known:
            message = f"no node is called {min(unknown)}: add it to nodes, with later: true"
            raise document.error(("events", index, field), message)
    if event.metrics and (strange := set(event.metrics.missing) - set(QUESTIONS)):
        message = f"{min(strange)} is no question of the operator: take one of {', '.join(QUESTIONS)}"
        raise document.error(("events", index, "metrics", "missing"), message)


def repository_of(spec: CostPolicySpec) -> str:
    """Return the Hugging Face repository of a policy's model; empty where it comes from elsewhere."""
    source = spec.model.source.hugging_face if spec.model is not None else None
    return "" if source is None else source.repository
