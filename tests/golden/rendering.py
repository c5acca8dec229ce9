"""Golden cases: ``manifests/<case>/policy.yaml`` and ``plan.yaml`` (why the case exists, and what was
planned) render to ``expected.yaml``.

``PYTHONPATH=operator:tests python -m golden.update`` writes the expected files anew; the diff is the review.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter

from costpolicy.api.policy import CostPolicy
from costpolicy.api.types import ScalingProvider
from costpolicy.catalog.engines import engine
from costpolicy.manifests.autoscaler import ScalerInputs, horizontal_pod_autoscaler, scaled_object
from costpolicy.manifests.inputs import VariantInputs
from costpolicy.manifests.policy_objects import policy_objects
from costpolicy.manifests.variant import render_variant
from costpolicy.observe.autoscaling import load_of_policy
from costpolicy.observe.scope import Scope
from costpolicy.planning.autoscaling import LoadSignal
from costpolicy.planning.configuration import Configuration

FOLDER: Final = Path(__file__).parent / "manifests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a case says was planned for its policy."""

    reason: str
    configuration: Configuration
    engine: str
    image: str
    replicas: int = 1
    startup_minutes: int = 15
    monitored: bool = False
    bounds: tuple[int, int] = (1, 10)
    targets: dict[LoadSignal, float] = field(default_factory=dict)
    """Of its autoscaler, where the policy asks for one."""


@dataclass(frozen=True, slots=True)
class Case:
    """A folder with inputs and the expected output."""

    folder: Path

    @property
    def expected(self) -> Path:
        """The file that holds the expected objects."""
        return self.folder / "expected.yaml"

    def inputs(self) -> tuple[VariantInputs, Plan]:
        """Read the case."""
        policy = CostPolicy.model_validate(yaml.safe_load((self.folder / "policy.yaml").read_text()))
        plan = TypeAdapter(Plan).validate_python(yaml.safe_load((self.folder / "plan.yaml").read_text()))
        inputs = VariantInputs(
            policy=policy,
            configuration=plan.configuration,
            engine=engine(plan.engine),
            image=plan.image,
            startup_budget=timedelta(minutes=plan.startup_minutes),
            scrape_annotations=not plan.monitored,
        )
        return inputs, plan

    def rendered(self) -> str:
        """Render the case as the file that ``kubectl apply`` would read."""
        inputs, plan = self.inputs()
        # The record is tested by reading it back; in here it would hide what a reviewer looks for.
        variant = render_variant(inputs)
        objects: list[dict[str, Any]] = [
            *variant.objects,
            *policy_objects(inputs.policy, variant.hash, plan.replicas, monitored=plan.monitored),
            *_autoscaler(
                ScalerInputs(policy=inputs.policy, variant=variant.hash, bounds=plan.bounds, targets=plan.targets)
            ),
        ]
        del objects[0]["metadata"]["annotations"]
        return f"# {plan.reason}\n" + yaml.safe_dump_all(objects, sort_keys=True, width=100)


def _autoscaler(inputs: ScalerInputs) -> tuple[dict[str, Any], ...]:
    match inputs.policy.spec.scaling.provider:
        case ScalingProvider.OPERATOR:
            return ()
        case ScalingProvider.HPA:
            return (horizontal_pod_autoscaler(inputs),)
        case ScalingProvider.KEDA:
            metadata = inputs.policy.metadata
            scope = Scope(matchers='cluster="prod-eu"')
            queries = {each: load_of_policy(scope, each, metadata.namespace, metadata.name) for each in inputs.targets}
            return (scaled_object(inputs, "http://prometheus.monitoring:9090", queries),)


def cases() -> list[Case]:
    """Return every case by name."""
    return [Case(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()]
