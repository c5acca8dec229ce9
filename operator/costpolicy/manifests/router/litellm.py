"""``config.yaml``: LiteLLM's own configuration. Settings are those of LiteLLM 1.106, read in its source in 2026-11."""

from datetime import timedelta
from typing import Any, Final

from costpolicy.manifests.router.backends import ALLOWED_FAILURES, fallbacks, model_list
from costpolicy.manifests.router.files import PLUGIN_PACKAGE
from costpolicy.manifests.router.inputs import Router
from costpolicy.manifests.router.secrets import DATABASE_URL, MASTER_KEY, keyed_tenants

CALLBACK: Final = f"{PLUGIN_PACKAGE}.callback.handler"
AUTHENTICATION: Final = f"{PLUGIN_PACKAGE}.keys.authenticate"
LONGEST_ANSWER: Final = timedelta(seconds=600)
"""How long a request may take; clients of the OpenAI API wait as long by default."""
COOLDOWN: Final = timedelta(seconds=10)

_METRICS: Final = (
    {
        "group": "tiers",
        "metrics": [
            "litellm_overhead_latency_metric",
            "litellm_deployment_failure_responses",
            "litellm_deployment_cooled_down",
        ],
        "include_labels": ["model_id"],
    },
    {
        "group": "fallbacks",
        "metrics": ["litellm_deployment_successful_fallbacks", "litellm_deployment_failed_fallbacks"],
        "include_labels": ["requested_model", "fallback_model"],
    },
)
"""What LiteLLM knows and the callback does not, by names of routes and tiers alone."""
_SECOND: Final = timedelta(seconds=1)


def litellm_document(router: Router) -> dict[str, Any]:
    """Return the configuration of a namespace's LiteLLM."""
    return {
        "model_list": model_list(router),
        "router_settings": _routing(router),
        "litellm_settings": _settings(),
        "general_settings": _general(router),
    }


def _routing(router: Router) -> dict[str, Any]:
    return {
        # Another tier is the second attempt. Retries of the same one would multiply with those of clients.
        "num_retries": 0,
        "max_fallbacks": max((1, *(len(route.tiers) - 1 for route in router.routes))),
        "fallbacks": fallbacks(router),
        "timeout": LONGEST_ANSWER // _SECOND,
        "allowed_fails": ALLOWED_FAILURES,
        "cooldown_time": COOLDOWN // _SECOND,
    }


def _settings() -> dict[str, Any]:
    return {
        "callbacks": [CALLBACK, "prometheus"],
        "drop_params": False,
        "json_logs": True,
        # Neither prompts, answers nor keys belong in a log.
        "turn_off_message_logging": True,
        "redact_messages_in_exceptions": True,
        "redact_user_api_key_info": True,
        "suppress_debug_info": True,
        # An error reaches the client as the tier told it, without the names of other tiers.
        "expose_router_debug_in_errors": False,
        # Without it Prometheus would need the master key. No label of these series says who asked, or what.
        "require_auth_for_metrics_endpoint": False,
        "prometheus_metrics_config": [dict(group) for group in _METRICS],
    }


def _general(router: Router) -> dict[str, Any]:
    settings: dict[str, Any] = {"master_key": f"os.environ/{MASTER_KEY}", "disable_master_key_return": True}
    if router.database is not None:
        settings["database_url"] = f"os.environ/{DATABASE_URL}"
    elif keyed_tenants(router):
        # It decides by itself; LiteLLM's own checks would look for budgets in a database that is not there.
        settings["custom_auth"] = AUTHENTICATION
    return settings
