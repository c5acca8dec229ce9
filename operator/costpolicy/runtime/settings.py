"""What the operator's environment may say, read once at start; each variable is called ``COSTPOLICY_...``."""

import socket
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from costpolicy.api.types import RolloutMode
from costpolicy.units import parse_duration

PREFIX: Final = "COSTPOLICY_"


class SettingsError(Exception):
    """A variable is wrong; the message has a line for each, naming the variable and what is expected."""


class LogFormat(StrEnum):
    """How log lines look: JSON for machines, text for eyes."""

    JSON = "json"
    TEXT = "text"


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseModel):
    """The operator's settings; field ``x`` is read from ``COSTPOLICY_X``.

    Durations are written ``30s``, lists with commas, ports 0 to 65535 (0: any free one).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    prometheus_url: str = ""
    """Root of the Prometheus API, as ``http://prometheus.monitoring:9090``; empty: plan without metrics."""
    prometheus_matchers: str = ""
    """Label matchers that enter every selector, as ``cluster="prod-eu"``."""
    prometheus_rate_window: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=5)
    """Window of rates and latencies; at least four scrape intervals."""
    prometheus_timeout: Duration = timedelta(seconds=10)
    """How long one query may take."""
    prometheus_token_file: str = ""
    """A file with a bearer token for Prometheus; read for every request, since tokens rotate."""
    prometheus_ca_file: str = ""
    """A file with the certificates that Prometheus' own is checked against; empty: the system's."""
    namespaces: Words = ()
    """Namespaces whose policies are served; empty: all."""
    default_rollout_mode: RolloutMode = RolloutMode.INITIAL
    """What a policy without ``rollout.mode`` gets."""
    image: str = ""
    """The operator's own image, which asks the prompts of evaluations; empty: what can alter answers is recommended only."""
    router_image: str = ""
    """Image of the router that serves ModelRoutes, with its digest; empty: no route is served."""
    router_image_pull_secrets: Words = ()
    """Names of Secrets that the namespaces of routes have for pulling it."""
    allow_host_access: bool = False
    """Accept host paths, privilege and host namespaces in ``engine.pod``."""
    resync_interval: Annotated[Duration, Field(ge=timedelta(seconds=1))] = timedelta(seconds=30)
    """How often everything is compared with the cluster and decided again."""
    max_concurrent_changes: Annotated[int, Field(ge=1)] = 3
    """Policies that may change to a better plan at the same time; edits of users do not wait for others."""
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    """Reconciles that run at the same time."""
    lease_name: str = "costpolicy-operator"
    """Name of the Lease that makes one replica the leader."""
    lease_namespace: str = "default"
    """Namespace of that Lease: the operator's own."""
    identity: str = Field(default_factory=socket.gethostname, min_length=1)
    """This replica's name in the Lease: the pod's."""
    metrics_port: Port = 8080
    """Where ``/metrics`` is served."""
    health_port: Port = 8081
    """Where ``/healthz`` and ``/readyz`` are served."""
    log_format: LogFormat = LogFormat.JSON
    """``json`` or ``text``."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """Least severe level that is logged."""
    kubeconfig: str = ""
    """A kubeconfig file; empty: the pod's service account, else kubectl's."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables; a variable that is set but empty counts as not set.

    Raises:
        SettingsError: a value is wrong, or a variable of our prefix is unknown (a typing error that must not
        pass).
    """
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as problem:
        lines = (_explain(str(error["loc"][0]), error["msg"], error["input"]) for error in problem.errors())
        raise SettingsError("\n".join(lines)) from None


def _explain(field: str, message: str, value: object) -> str:
    variable = PREFIX + field.upper()
    if field not in Settings.model_fields:
        return f"{variable}: there is no such setting"
    return f"{variable}={value}: {message.removeprefix('Value error, ')}"
