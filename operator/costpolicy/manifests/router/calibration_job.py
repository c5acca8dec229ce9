"""The CronJob that labels what a route sampled and proves its thresholds anew (docs/decisions/0036-renewal.md).

Its pod runs ``costpolicy route renew`` from the operator's own image, once for each tier and once for the
compression, one after the other.  It reads and writes the claim that samples go to, asks the router with its
administrator's key, and writes ConfigMaps by the account :data:`ACCOUNT`, which the user makes: the operator has no
rights to give.
"""

from datetime import timedelta
from fractions import Fraction
from typing import Final

from kubernetes import client

from costpolicy.manifests.container import security_context
from costpolicy.manifests.identity import COMPONENT_LABEL, Labels
from costpolicy.manifests.pod import pod_security
from costpolicy.manifests.router.backends import tier_model
from costpolicy.manifests.router.files import samples_folder
from costpolicy.manifests.router.identity import HTTP_PORT, ROUTER, owned_by_routes, router_labels
from costpolicy.manifests.router.inputs import Renewal, RenewedCompression, RenewedTier, Route, Router, TokenPrices
from costpolicy.manifests.serialization import Object, to_object
from costpolicy.router_plugin.compression import Limits

ACCOUNT: Final = "costpolicy-calibration"
"""ServiceAccount that may create and patch ConfigMaps of the namespace."""
COMPRESSION: Final = "compression-judged-by-answers-of-the-trusted-tier"
"""Container that judges the compression: longer than the name of any tier may be, and so no tier's."""
CONCURRENCY: Final = 2
"""Samples at a time: the tiers serve clients meanwhile."""
_DAY: Final = timedelta(days=1)
_SECOND: Final = timedelta(seconds=1)
_LATEST_START: Final = timedelta(hours=1)
_WRONG_INPUT: Final = 2
"""Exit code of ``costpolicy`` that another attempt would only repeat."""


def calibration_cron_job(router: Router, renewal: Renewal) -> Object:
    """Return the CronJob of a route; what is proven is known once it has run.

    Args:
        router: that serves the route; its ``operator_image`` is what runs.
        renewal: one of the router's.
    """
    [route] = [each for each in router.routes if each.name == renewal.route]
    labels = _labels(route)
    return to_object(
        client.V1CronJob(
            api_version="batch/v1",
            kind="CronJob",
            metadata=client.V1ObjectMeta(
                name=f"{route.name}-calibration",
                namespace=router.namespace or None,
                labels=router_labels(),
                owner_references=owned_by_routes((route,)),
            ),
            spec=client.V1CronJobSpec(
                schedule=renewal.schedule,
                concurrency_policy="Forbid",  # two would write one file of labels
                starting_deadline_seconds=_LATEST_START // _SECOND,
                successful_jobs_history_limit=1,
                failed_jobs_history_limit=1,
                job_template=client.V1JobTemplateSpec(
                    spec=client.V1JobSpec(
                        backoff_limit=1,
                        active_deadline_seconds=_DAY // _SECOND,
                        pod_failure_policy=_failure_policy(),
                        template=client.V1PodTemplateSpec(
                            metadata=client.V1ObjectMeta(labels=labels), spec=_pod(router, route, renewal)
                        ),
                    )
                ),
            ),
        )
    )


def _labels(route: Route) -> Labels:
    """Return the pod's labels, without those by which the router's Service finds its pods."""
    return {
        "app.kubernetes.io/name": "costpolicy",
        "app.kubernetes.io/instance": route.name,
        "app.kubernetes.io/part-of": "costpolicy",
        COMPONENT_LABEL: "calibration",
    }


def _pod(router: Router, route: Route, renewal: Renewal) -> client.V1PodSpec:
    # Init containers run one after the other, so tiers do not compete for the same engines.
    *first, last = _containers(router, route, renewal)
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name=renewal.claim)
    return client.V1PodSpec(
        init_containers=first or None,
        containers=[last],
        volumes=[client.V1Volume(name="samples", persistent_volume_claim=claim)],
        restart_policy="Never",
        service_account_name=ACCOUNT,
        security_context=pod_security(),
        enable_service_links=False,
        image_pull_secrets=[client.V1LocalObjectReference(name=name) for name in router.image_pull_secrets] or None,
    )


def _containers(router: Router, route: Route, renewal: Renewal) -> list[client.V1Container]:
    tiers = [_container(router, renewal, tier.name, _of_tier(router, route, renewal, tier)) for tier in renewal.tiers]
    if renewal.compression is None:
        return tiers
    own = _of_compression(router, route, renewal, renewal.compression)
    return [*tiers, _container(router, renewal, COMPRESSION, own)]


def _container(router: Router, renewal: Renewal, name: str, arguments: dict[str, str]) -> client.V1Container:
    return client.V1Container(
        name=name,
        image=router.operator_image,
        command=["python3", "-m", "costpolicy.cli.main", "route", "renew"],
        args=[f"{option}={value}" for option, value in arguments.items()],
        env=_environment(router, renewal),
        # Fitting trees to thousands of labels takes seconds of CPU, and NumPy some memory.
        resources=client.V1ResourceRequirements(requests={"cpu": "500m", "memory": "512Mi"}, limits={"memory": "1Gi"}),
        security_context=security_context(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[client.V1VolumeMount(name="samples", mount_path=samples_folder(renewal.claim))],
    )


def _of_tier(router: Router, route: Route, renewal: Renewal, tier: RenewedTier) -> dict[str, str]:
    return {
        **_arguments(router, route, renewal),
        "--labels": f"{samples_folder(renewal.claim, route.name)}/labels/{tier.name}.csv",
        "--weak": tier_model(route, tier.name),
        **_priced("--weak-prices", _prices_of(route, tier.name)),
        **_proven(tier.max_loss, tier.config_map),
    }


def _of_compression(router: Router, route: Route, renewal: Renewal, own: RenewedCompression) -> dict[str, str]:
    limits = Limits(minimum=own.limits.minimum, ratio=float(own.limits.ratio))
    return {
        **_arguments(router, route, renewal),
        # Other settings have labels of their own: whoever goes back to former ones finds theirs. No tier's name has a dot.
        "--labels": f"{samples_folder(renewal.claim, route.name)}/labels/compression.{limits.settings}.csv",
        "--compress-minimum": str(limits.minimum),
        "--compress-ratio": f"{limits.ratio:g}",
        **_proven(own.max_loss, own.config_map),
    }


def _arguments(router: Router, route: Route, renewal: Renewal) -> dict[str, str]:
    judge = renewal.judge
    return {
        "--samples": samples_folder(renewal.claim, route.name),
        "--router": f"http://{ROUTER}:{HTTP_PORT}",
        "--strong": tier_model(route, route.trusted),
        "--judge": judge.type.value,
        **({"--judge-url": judge.model.base_url, "--judge-model": judge.model.model} if judge.model else {}),
        "--per-day": str(renewal.per_day),
        "--keep": str(max(1, renewal.keep // _DAY)),
        **_priced("--strong-prices", _prices_of(route, route.trusted)),
        "--concurrency": str(CONCURRENCY),
        "--namespace": router.namespace,
    }


def _proven(max_loss: Fraction, config_map: str) -> dict[str, str]:
    return {"--max-loss": f"{float(max_loss):.6f}".rstrip("0"), "--config-map": config_map}


def _prices_of(route: Route, tier: str) -> TokenPrices | None:
    return next(each.prices for each in route.tiers if each.name == tier)


def _priced(option: str, prices: TokenPrices | None) -> dict[str, str]:
    return {} if prices is None else {option: f"{prices.input.text()},{prices.output.text()}"}


def _environment(router: Router, renewal: Renewal) -> list[client.V1EnvVar]:
    # The names are those of costpolicy.cli.route_label and costpolicy.cli.judging, which lie in a layer above this one.
    keys = {"COSTPOLICY_ROUTER_KEY": router.master_key}
    judge = renewal.judge.model
    if judge is not None and judge.api_key_secret_ref is not None:
        keys["COSTPOLICY_JUDGE_API_KEY"] = judge.api_key_secret_ref
    return [
        client.V1EnvVar(
            name=name,
            value_from=client.V1EnvVarSource(secret_key_ref=client.V1SecretKeySelector(name=key.name, key=key.key)),
        )
        for name, key in keys.items()
    ]


def _failure_policy() -> client.V1PodFailurePolicy:
    """Return what another attempt would not mend."""
    return client.V1PodFailurePolicy(
        rules=[
            client.V1PodFailurePolicyRule(
                action="FailJob",
                on_exit_codes=client.V1PodFailurePolicyOnExitCodesRequirement(operator="In", values=[_WRONG_INPUT]),
            )
        ]
    )
