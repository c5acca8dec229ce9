"""What is not known, as a value."""

from dataclasses import dataclass

from costpolicy.api.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A figure that is not there, and why.  Never 0, never NaN.

    Reasons: ``NoSamples`` (nothing exports it, or not for too long), ``NoTraffic`` (a mean or quantile of no
    requests), ``RulesMissing`` (there is no history), ``ResolutionTooCoarse`` (a histogram cannot tell), and of what is
    derived from others ``NotStated`` (only a person or another component can say it).
    """

    reason: Reason
    message: str
