"""How far what one running configuration taught reaches: to itself and its settings fully, to siblings in part."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from costpolicy.catalog.accelerators import Accelerator
from costpolicy.perf.calibration import Calibration, calibrate
from costpolicy.perf.uncertainty import Uncertainty, uncertainty
from costpolicy.planning.configuration import Configuration

SIBLING_CORRELATION: Final = 0.5
"""Of the errors of two configurations of one model on one accelerator family.

They share host, launch overheads, clock and traffic, and differ in kernels.  In the study the bias that a GPU or a model
left out of the fit shows (1 to 5 %) is about half of the error of its rows (4 to 10 %).  At 0.5 a sibling's confidence is
at most a quarter, so that what was learnt elsewhere widens a margin and never narrows one.
"""


class Kinship(Enum):
    """How near a configuration is to the one that runs."""

    SAME = auto()
    """The same engine, wherever its accelerators are bought."""
    SETTINGS = auto()
    """The same kernels on the same accelerators; only settings of the engine differ."""
    OTHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBook:
    """What was measured of the configuration that runs, which must be one of the planned model.

    Attributes:
        family: of its accelerator.
    """

    running: Configuration
    family: str
    calibration: Calibration

    def kinship(self, configuration: Configuration) -> Kinship:
        """Return how near a configuration is to the one that runs, its accelerator's family aside."""
        if configuration.engine_key == self.running.engine_key:
            return Kinship.SAME
        return Kinship.SETTINGS if configuration.kernels == self.running.kernels else Kinship.OTHER

    def of(self, configuration: Configuration, accelerator: Accelerator) -> Calibration:
        """Return what is believed of a configuration."""
        prior = _prior(configuration, accelerator)
        if accelerator.family != self.family:
            return calibrate(prior)
        match self.kinship(configuration):
            case Kinship.SAME:
                return self.calibration
            case Kinship.SETTINGS:
                return self.calibration.inherited()
            case Kinship.OTHER:
                return self.calibration.transferred(prior, SIBLING_CORRELATION)


def calibration_of(book: CalibrationBook | None, configuration: Configuration, accelerator: Accelerator) -> Calibration:
    """Return what is believed of a configuration; without a book, what is known of its accelerator's family."""
    if book is None:
        return calibrate(_prior(configuration, accelerator))
    return book.of(configuration, accelerator)


def _prior(configuration: Configuration, accelerator: Accelerator) -> Uncertainty:
    return uncertainty(accelerator, configuration.tensor_parallel_size, configuration.data_parallel_size)
