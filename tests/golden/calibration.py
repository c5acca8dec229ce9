"""Golden calibration Jobs: a policy whose prompts share a prefix, once for each load generator.

``PYTHONPATH=operator:tests python -m golden.update`` writes the expected files anew; the diff is the review.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import yaml

from builders import configuration, policy
from costpolicy.manifests.calibration_job import calibration_job
from costpolicy.manifests.calibration_load import CalibrationLoad, LoadGenerator
from costpolicy.planning.demand import Demand

FOLDER: Final = Path(__file__).parent / "jobs"

_LOAD: Final = CalibrationLoad(
    requests=Demand(
        requests_per_second=3.0, prompt_tokens=1000.0, output_tokens=250.0, cached_tokens=800.0, source="Spec"
    ),
    capacity=10.0,
    answer_time=5.0,
    context=8192,
)


@dataclass(frozen=True, slots=True)
class CalibrationCase:
    """A load generator with the file that its objects are expected to be."""

    generator: LoadGenerator

    @property
    def expected(self) -> Path:
        """The file that holds the expected objects."""
        return FOLDER / f"{self.generator}.yaml"

    def rendered(self) -> str:
        """Render the case as the file that ``kubectl apply`` would read."""
        return yaml.safe_dump_all(
            calibration_job(policy(), configuration(), _LOAD, self.generator), sort_keys=True, width=100
        )


def calibration_cases() -> list[CalibrationCase]:
    """Return a case for each load generator."""
    return [CalibrationCase(generator) for generator in get_args(LoadGenerator)]
