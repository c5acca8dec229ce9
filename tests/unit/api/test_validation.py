"""What the schema cannot say about a policy: schedules, zones, accelerators, orders not supported yet."""

from typing import Any

import pytest

from costpolicy.api.policy import CostPolicy
from costpolicy.api.pricebook import PriceBook
from costpolicy.api.reasons import Reason
from costpolicy.api.validation import book_problems, problems
from plain_documents import ADVISED, book, policy, with_path

ACCELERATORS = ("nvidia-l4", "nvidia-l40s", "nvidia-h100-80gb")


def found(path: str, value: Any) -> list[tuple[Reason, str]]:
    document = CostPolicy.model_validate(with_path(policy(), path, value))
    return [(problem.reason, problem.message) for problem in problems(document, ACCELERATORS)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hardware.accelerators", ["nvidia-l4", "nvidia-l40s"]),
        ("scaling.schedules", [{"schedule": "0 22 * * 1-5", "timeZone": "Europe/Berlin", "maxReplicas": 0}]),
        ("rollout.maintenanceWindows", [{"schedule": "30 2 * * SUN", "duration": "4h"}]),
        ("quality.evaluation", {"lmEval": {"tasks": ["gsm8k"]}}),
    ],
)
def test_finds_nothing_wrong_with_a_sound_policy(path: str, value: Any):
    assert found(path, value) == []


@pytest.mark.parametrize(
    ("path", "value", "reason", "says"),
    [
        (
            "hardware.accelerators",
            ["nvidia-l4", "nvidia-h100-80g"],
            Reason.UNKNOWN_ACCELERATOR,
            "does not know nvidia-h100-80g; did you mean nvidia-h100-80gb?",
        ),
        (
            "hardware.accelerators",
            ["tpu"],
            Reason.UNKNOWN_ACCELERATOR,
            "known are nvidia-h100-80gb, nvidia-l4, nvidia-l40s",
        ),
        (
            "scaling.schedules",
            [{"schedule": "61 22 * * *", "maxReplicas": 0}],
            Reason.INVALID_SCHEDULE,
            "spec.scaling.schedules[0].schedule: '61 22 * * *' is not a cron expression",
        ),
        (
            "rollout.maintenanceWindows",
            [{"schedule": "0 2 * * *", "duration": "4h", "timeZone": "Mars/Olympus"}],
            Reason.INVALID_SCHEDULE,
            "spec.rollout.maintenanceWindows[0].timeZone: 'Mars/Olympus' is not known",
        ),
        (
            "rollout.maintenanceWindows",
            [{"schedule": "0 2 * * *", "duration": "4h", "timeZone": "/etc/passwd"}],
            Reason.INVALID_SCHEDULE,
            "'/etc/passwd' is not known",
        ),
        ("techniques.outputLength.mode", "Enforce", Reason.NOT_SUPPORTED_YET, "use Recommend"),
    ],
)
def test_says_what_is_wrong_and_what_to_do(path: str, value: Any, reason: Reason, says: str):
    [(given, message)] = found(path, value)

    assert reason == given
    assert says in message


def test_a_policy_that_advises_is_sound():
    assert problems(CostPolicy.model_validate(policy(ADVISED)), ACCELERATORS) == ()


def test_a_book_names_each_unknown_accelerator_once():
    offerings = [
        {"accelerator": "nvidia-l4", "capacityType": "OnDemand", "hourly": "1"},
        {"accelerator": "nvidia-v100", "capacityType": "OnDemand", "hourly": "1"},
        {"accelerator": "nvidia-v100", "capacityType": "Spot", "hourly": "1"},
    ]

    [problem] = book_problems(PriceBook.model_validate(book(offerings=offerings)), ACCELERATORS)

    assert problem.reason == Reason.UNKNOWN_ACCELERATOR
