"""A vLLM Deployment of somebody else, as far as it can be known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from costpolicy.advice.command import EngineCommand, engine_commands
from costpolicy.advice.configuring import Facts, configuration_of
from costpolicy.advice.holding import Holding, holding_of, offering_of
from costpolicy.advice.release import release_of, version_of_image
from costpolicy.advice.serving import ServeArguments, serve_arguments
from costpolicy.api.reasons import Reason
from costpolicy.api.types import WeightFormat
from costpolicy.catalog.architecture import ModelArchitecture
from costpolicy.catalog.engines import Engine, newest_engine
from costpolicy.catalog.models import models
from costpolicy.catalog.prices import Offering
from costpolicy.kube.gateway import Node, Object, Pod
from costpolicy.observe.source import Missing
from costpolicy.planning.configuration import Configuration
from costpolicy.units import Money

_NOT_PREDICTED: Final = (
    "--enforce-eager",
    "--kv-cache-memory-bytes",
    "--num-gpu-blocks-override",
    "--cpu-offload-gb",
    "--enable-lora",
    "--max-num-active-seqs",
)
"""Arguments that change what a replica carries, and that the performance model does not know."""
_MATCHES: Final = {"In": True, "NotIn": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is read beside a Deployment: pods and nodes of the cluster, and prices."""

    pods: Sequence[Pod] = ()
    nodes: Sequence[Node] | Missing = ()
    offerings: Sequence[Offering] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """One Deployment.

    Attributes:
        deployment: as stored.
        pods: those that it owns, by its selector.
        command: where its container gives what to vLLM.
        given: the arguments, as the release reads them (the newest supported one, if it is not known).
        version: as the image's tag says it.
        engine: the release, if it is a supported one.
        architecture: sizes of the model, if the catalogue knows it.
        holding: the accelerators of a replica.
        offering: what prices them.
        configuration: what a plan would call it.
    """

    deployment: Object = field(repr=False)
    pods: tuple[Pod, ...]
    command: EngineCommand
    given: ServeArguments
    version: str | Missing
    engine: Engine | Missing
    architecture: ModelArchitecture | Missing
    source_format: WeightFormat
    holding: Holding | Missing
    offering: Offering | Missing
    configuration: Configuration | Missing

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.deployment["metadata"].get("namespace") or "default")

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.deployment["metadata"]["name"])

    @property
    def replicas(self) -> int:
        """Replicas asked for; one where nothing is said, as the API server reads it."""
        stated = self.deployment["spec"].get("replicas")
        return 1 if stated is None else int(stated)

    @property
    def accelerators(self) -> int | Missing:
        """Accelerators that its scheduled pods hold; those of all replicas where no pod is known."""
        if isinstance(self.holding, Missing):
            return self.holding
        if not self.pods:
            return self.replicas * self.holding.count
        return sum(pod.requests.get(self.holding.resource, 0) for pod in self.pods if pod.node)

    @property
    def cost_per_hour(self) -> Money | Missing:
        """Price of the accelerators that it holds."""
        held = self.accelerators
        if isinstance(held, Missing):
            return held
        return self.offering if isinstance(self.offering, Missing) else self.offering.hourly * held

    @property
    def served_name(self) -> str | Missing:
        """The name that clients ask for."""
        names = self.given.text("--served-model-name")
        return names.split()[0] if isinstance(names, str) and names else names or self.given.model

    @property
    def assumed(self) -> tuple[str, ...]:
        """What was taken for granted, one sentence each."""
        release = (
            f"{self.version.message}: read as {newest_engine().version}" if isinstance(self.version, Missing) else ""
        )
        strange = (
            f"its release has no {', '.join(self.given.strange)}: is it another one?" if self.given.strange else ""
        )
        named = ""
        if not isinstance(self.architecture, Missing) and models().resolve(str(self.given.model)) is None:
            named = f"taken for {self.architecture.id} by its name"
        held = () if isinstance(self.holding, Missing) else self.holding.assumed
        unseen = [flag for flag in _NOT_PREDICTED if self.given.values.get(flag) not in (None, False)]
        predicted = f"{', '.join(unseen)}: not in the prediction of what runs" if unseen else ""
        return tuple(filter(None, (release, strange, named, predicted, *held)))


def existing_of(deployment: Object, around: Surroundings, version: str = "") -> Existing | Missing:
    """Read a Deployment; ``version`` is vLLM's, where its owner states it.

    Returns:
        ``Missing`` with ``TargetNotVLLM`` where none, or more than one, of its containers runs vLLM's server.
    """
    template = deployment["spec"]["template"]
    commands = engine_commands(template.get("spec") or {})
    if len(commands) != 1:
        what = f"{len(commands)} of its containers run" if commands else "none of its containers runs"
        return Missing(reason=Reason.TARGET_NOT_VLLM, message=f"{what} vLLM's server (vllm serve)")
    [command] = commands
    told = version or version_of_image(command.image)
    engine = release_of(told)
    given = serve_arguments(command, (newest_engine() if isinstance(engine, Missing) else engine).flags)
    pods = pods_of(deployment, around.pods)
    holding = holding_of(template["spec"], pods, around.nodes)
    offering = holding if isinstance(holding, Missing) else offering_of(holding, around.offerings)
    architecture, source_format = _model(given)
    return Existing(
        deployment=deployment,
        pods=pods,
        command=command,
        given=given,
        version=told,
        engine=engine,
        architecture=architecture,
        source_format=source_format,
        holding=holding,
        offering=offering,
        configuration=_configuration(given, (engine, told), (architecture, source_format), holding, offering),
    )


def pods_of(deployment: Object, pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """Return the pods that a Deployment's selector matches in its namespace."""
    selector = deployment["spec"].get("selector") or {}
    namespace = deployment["metadata"].get("namespace") or "default"
    return tuple(pod for pod in pods if pod.namespace == namespace and _selects(selector, pod.labels))


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    if not wanted and not expressions:
        return False
    return wanted.items() <= labels.items() and all(_holds(one, labels) for one in expressions)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator = expression["key"], expression["operator"]
    if operator in _MATCHES:
        return (labels.get(key) in (expression.get("values") or ())) is _MATCHES[operator]
    return (key in labels) is (operator == "Exists")


def _model(given: ServeArguments) -> tuple[ModelArchitecture | Missing, WeightFormat]:
    if isinstance(given.model, Missing):
        return given.model, WeightFormat.BF16
    names = given.text("--served-model-name")
    tail = "/".join(given.model.rstrip("/").split("/")[-2:])
    for name in (given.model, tail, *(names.split() if isinstance(names, str) else ())):
        found = models().resolve(name)
        if found is not None:
            return found, models().format_of(name)
    message = f"the catalogue does not know {given.model}; state its sizes in spec.model.architecture of a policy"
    return Missing(reason=Reason.UNKNOWN_MODEL, message=message), WeightFormat.BF16


def _configuration(
    given: ServeArguments,
    release: tuple[Engine | Missing, str | Missing],
    model: tuple[ModelArchitecture | Missing, WeightFormat],
    holding: Holding | Missing,
    offering: Offering | Missing,
) -> Configuration | Missing:
    (engine, told), (architecture, source_format) = release, model
    if isinstance(engine, Missing):
        if not isinstance(told, Missing):
            return engine
        engine = newest_engine()
    if isinstance(architecture, Missing):
        return architecture
    if isinstance(holding, Missing):
        return holding
    if isinstance(offering, Missing):
        return offering
    facts = Facts(
        engine=engine, architecture=architecture, source_format=source_format, holding=holding, offering=offering
    )
    return configuration_of(given, facts)
