"""What a variant was rendered from, written on its Deployment.

An operator that starts cold reads here which configuration serves and what was pinned, and renders the very
same template, whatever its catalogue has learned since.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

from pydantic import TypeAdapter, ValidationError

from costpolicy.api.policy import CostPolicy
from costpolicy.catalog.engines import engine
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.serialization import Object
from costpolicy.planning.configuration import Configuration

RECORD_ANNOTATION: Final = "costpolicy.dev/rendered-from"

_LATER: Final = {"api_servers": None, "stream_interval": None, "proposer": None, "data_parallel_size": 1}
"""Fields of a configuration that older operators do not know, written only where they say something else than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A variant's inputs apart from its policy; fields as in
    :class:`~costpolicy.manifests.inputs.VariantInputs`."""

    configuration: Configuration
    engine_version: str
    image: str
    template_revision: int
    grace: timedelta
    startup_budget: timedelta
    product_labels: Mapping[str, tuple[str, ...]]
    scrape_annotations: bool

    def to_json(self) -> str:
        """Return the record as one line of JSON, the same for equal records."""
        absent = _unsaid(self.configuration)
        return _adapter().dump_json(self, exclude={"configuration": absent} if absent else None).decode()

    def inputs(self, policy: CostPolicy) -> VariantInputs:
        """Return the inputs that render this variant again, under the policy as it is now.

        If the policy changed in what the template depends on, the hash is another one: that is a new variant.

        Raises:
            EngineError: this operator no longer knows the engine's version.
        """
        return VariantInputs(
            policy=policy,
            configuration=self.configuration,
            engine=engine(self.engine_version),
            image=self.image,
            template_revision=self.template_revision,
            grace=self.grace,
            startup_budget=self.startup_budget,
            product_labels=self.product_labels,
            scrape_annotations=self.scrape_annotations,
        )


def record_of(inputs: VariantInputs) -> Record:
    """Return what to write on the Deployment that is rendered from ``inputs``."""
    return Record(
        configuration=inputs.configuration,
        engine_version=inputs.engine.version,
        image=inputs.image,
        template_revision=inputs.template_revision,
        grace=inputs.grace,
        startup_budget=inputs.startup_budget,
        product_labels=inputs.products,
        scrape_annotations=inputs.scrape_annotations,
    )


def read_record(deployment: Object) -> Record | None:
    """Return the record of a Deployment, or ``None`` where there is none that can be read."""
    text = deployment["metadata"].get("annotations", {}).get(RECORD_ANNOTATION)
    if text is None:
        return None
    try:
        return _adapter().validate_json(text)
    except ValidationError:
        return None


def configuration_to_json(configuration: Configuration) -> str:
    """Return a configuration as one line of JSON, as it stands in a record."""
    return _configurations().dump_json(configuration, exclude=_unsaid(configuration)).decode()


def read_configuration(text: str) -> Configuration | None:
    """Return a configuration from its line of JSON, or ``None`` where it cannot be read."""
    try:
        return _configurations().validate_json(text)
    except ValidationError:
        return None


def _unsaid(configuration: Configuration) -> set[str]:
    return {name for name, silent in _LATER.items() if getattr(configuration, name) == silent}


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


@cache
def _configurations() -> TypeAdapter[Configuration]:
    return TypeAdapter(Configuration)
