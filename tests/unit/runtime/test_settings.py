"""Settings from the environment.

Covered: defaults, every kind of value, messages that name the variable.
"""

from datetime import timedelta

import pytest

from costpolicy.api.types import RolloutMode
from costpolicy.runtime.settings import LogFormat, SettingsError, read_settings


def test_an_empty_environment_is_enough() -> None:
    settings = read_settings({})

    assert (settings.prometheus_url, settings.namespaces, settings.default_rollout_mode) == (
        "",
        (),
        RolloutMode.INITIAL,
    )
    assert settings.identity


def test_reads_every_kind_of_value() -> None:
    settings = read_settings(
        {
            "COSTPOLICY_PROMETHEUS_URL": "http://prometheus:9090",
            "COSTPOLICY_PROMETHEUS_MATCHERS": 'cluster="prod-eu"',
            "COSTPOLICY_NAMESPACES": "team-a, team-b,",
            "COSTPOLICY_RESYNC_INTERVAL": "1m30s",
            "COSTPOLICY_WORKERS": "2",
            "COSTPOLICY_LOG_FORMAT": "text",
            "COSTPOLICY_DEFAULT_ROLLOUT_MODE": "Recommend",
            "PATH": "/bin",
        }
    )

    assert settings.prometheus_matchers == 'cluster="prod-eu"'
    assert settings.namespaces == ("team-a", "team-b")
    assert settings.resync_interval == timedelta(seconds=90)
    assert (settings.workers, settings.log_format) == (2, LogFormat.TEXT)
    assert settings.default_rollout_mode is RolloutMode.RECOMMEND


def test_a_variable_that_is_set_to_nothing_counts_as_not_set() -> None:
    assert read_settings({"COSTPOLICY_WORKERS": ""}).workers == 4


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("RESYNC_INTERVAL", "fast", "not a duration"),
        ("RESYNC_INTERVAL", "10ms", "greater than or equal"),
        ("WORKERS", "many", "valid integer"),
        ("WORKERS", "0", "greater than or equal"),
        ("MAX_CONCURRENT_CHANGES", "0", "greater than or equal"),
        ("METRICS_PORT", "70000", "less than or equal"),
        ("DEFAULT_ROLLOUT_MODE", "Always", "'Off', 'Recommend', 'Initial' or 'Auto'"),
        ("LOG_LEVEL", "loud", "match pattern"),
        ("PROMETEUS_URL", "http://x", "there is no such setting"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=f"^COSTPOLICY_{name}.*{expected}"):
        read_settings({f"COSTPOLICY_{name}": value})


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"COSTPOLICY_WORKERS": "x", "COSTPOLICY_HEALTH_PORT": "y"})

    assert len(str(caught.value).splitlines()) == 2
