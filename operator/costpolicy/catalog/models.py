"""Models by Hugging Face repository: bases, instruct versions and quantized copies share an architecture."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date as Date  # noqa: N812 - a field is called date, as in the data files
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from costpolicy.api.policy import ArchitectureSpec
from costpolicy.api.types import WeightFormat
from costpolicy.catalog.architecture import ArchitectureSizes, LinearAttention, Mla, ModelArchitecture
from costpolicy.catalog.parameters import count_parameters
from costpolicy.catalog.sources import Document, read_document, read_packaged

__all__ = [
    "LinearAttention",
    "Mla",
    "ModelArchitecture",
    "ModelCatalog",
    "architecture_from_spec",
    "load_models",
    "models",
]

_MAGNITUDES = {"M": 10**6, "B": 10**9, "T": 10**12}
Repository = Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
ParameterCountText = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?[MBT]?$", coerce_numbers_to_str=True)]


@dataclass(frozen=True, slots=True)
class ModelCatalog:
    """Architectures, and the repositories whose weights have them. Names compare without regard to case."""

    architectures: tuple[ModelArchitecture, ...]
    _repositories: Mapping[str, tuple[ModelArchitecture, WeightFormat]]

    def __iter__(self) -> Iterator[ModelArchitecture]:
        return iter(self.architectures)

    def __len__(self) -> int:
        return len(self.architectures)

    def resolve(self, repository: str) -> ModelArchitecture | None:
        """Return the architecture of a repository; ``None`` if the catalogue does not know it."""
        found = self._repositories.get(repository.lower())
        return found[0] if found else None

    def format_of(self, repository: str) -> WeightFormat:
        """Return the format of a repository's weights; bf16 for one that the catalogue does not know."""
        found = self._repositories.get(repository.lower())
        return found[1] if found else WeightFormat.BF16

    def repositories(self, architecture: ModelArchitecture) -> Mapping[str, WeightFormat]:
        """Return every known repository (lower case) of an architecture with the format of its weights."""
        return {name: form for name, (of, form) in self._repositories.items() if of.id == architecture.id}


class _Published(BaseModel):
    """Counts as their publisher rounds them: ``8.03B``, ``37B``, or all digits.

    Publishers leave encoders out of the active count, some (``active_without_embedding``) the embedding too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    total: ParameterCountText
    active: ParameterCountText | None = None
    active_without_embedding: bool = False


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    id: Repository
    format: WeightFormat = WeightFormat.BF16
    repositories: dict[WeightFormat, list[Repository]] = {}
    architecture: ArchitectureSizes
    parameters: _Published
    source: Annotated[str, Field(min_length=1)]
    date: Date

    def named(self) -> ModelArchitecture:
        total = _count(self.parameters.total)
        return ModelArchitecture(
            **_sizes(self.architecture),
            id=self.id,
            total_parameters=total,
            active_parameters=self._active(total),
            source=self.source,
            date=self.date,
        )

    def _active(self, total: int) -> int:
        published = self.parameters
        if published.active is None:
            return total
        sizes = self.architecture
        embedding = sizes.vocabulary * sizes.hidden_size if published.active_without_embedding else 0
        return _count(published.active) + embedding + sizes.encoder_parameters

    def formats(self) -> Iterator[tuple[str, WeightFormat, tuple[int | str, ...]]]:
        """Yield every repository with its format and its place in the entry."""
        yield self.id, self.format, ("id",)
        for form, names in self.repositories.items():
            for index, name in enumerate(names):
                yield name, form, ("repositories", form, index)


@cache
def _shape() -> TypeAdapter[list[_Entry]]:
    return TypeAdapter(list[_Entry])


def load_models(text: str, filename: str) -> ModelCatalog:
    """Read models from a YAML list.

    Raises:
        CatalogError: the file is broken, or two entries claim one repository.
    """
    document: Document[list[_Entry]] = read_document(text, filename, _shape())
    architectures: list[ModelArchitecture] = []
    repositories: dict[str, tuple[ModelArchitecture, WeightFormat]] = {}
    for index, entry in enumerate(document.value):
        architecture = entry.named()
        architectures.append(architecture)
        for name, form, path in entry.formats():
            if name.lower() in repositories:
                other = repositories[name.lower()][0].id
                raise document.error((index, *path), f"{name} already belongs to {other}")
            repositories[name.lower()] = (architecture, form)
    return ModelCatalog(tuple(architectures), repositories)


@cache
def models() -> ModelCatalog:
    """Return the packaged catalogue."""
    return load_models(read_packaged("models.yaml"), "models.yaml")


def architecture_from_spec(spec: ArchitectureSpec, model_id: str) -> ModelArchitecture:
    """Return the architecture that a policy states itself (``spec.model.architecture``).

    Raises:
        ValueError: sizes that contradict each other; the message says which.
    """
    try:
        sizes = _spec_shape().validate_python(spec.model_dump(exclude_none=True))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from error
    count = count_parameters(sizes)
    return ModelArchitecture(**_sizes(sizes), id=model_id, total_parameters=count.total, active_parameters=count.active)


@cache
def _spec_shape() -> TypeAdapter[ArchitectureSizes]:
    return TypeAdapter(ArchitectureSizes)


def _sizes(sizes: ArchitectureSizes) -> dict[str, Any]:
    return {each.name: getattr(sizes, each.name) for each in fields(ArchitectureSizes)}


def _count(text: str) -> int:
    """Return the number that a published count stands for (``8.03B`` is 8,030,000,000)."""
    magnitude: int = _MAGNITUDES.get(text[-1], 1)
    digits = text.rstrip("MBT")
    whole, _, decimals = digits.partition(".")
    return int(whole + decimals) * magnitude // int(10 ** len(decimals))
