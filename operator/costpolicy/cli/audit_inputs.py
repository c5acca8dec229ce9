"""What is known of the deployments that are audited beside their counters: policies, prices, and what options say."""

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from costpolicy.api.missing import Missing
from costpolicy.api.policy import CostPolicy
from costpolicy.api.reasons import Reason
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.arguments import values_of
from costpolicy.catalog.engines import Engine, EngineError, engine, newest_engine
from costpolicy.catalog.prices import PriceList
from costpolicy.cli.console import Console, InputError
from costpolicy.cli.documents import read
from costpolicy.cli.offline import question_offline
from costpolicy.observe.totals import Model, Totals
from costpolicy.reconcile.evidence import Known, evidence_of
from costpolicy.savings.audit.evidence import Evidence, Held, Startup, Stated
from costpolicy.savings.replan import Pricing, Replanner
from costpolicy.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The command's input: options, documents, prices."""

    options: argparse.Namespace
    policies: Sequence[CostPolicy]
    prices: PriceList
    window: timedelta | None


def deployments(
    options: argparse.Namespace,
    totals: Mapping[Model, Totals],
    window: timedelta | None,
    console: Console,
    now: datetime,
) -> Iterator[tuple[Model, Evidence, str]]:
    """Yield each model with what its audits look at, and the currency of its prices.

    Raises:
        InputError: a document or an option is wrong; the message says which.
    """
    policies, prices = read(options.file, console, now)
    if options.accelerator is not None and options.accelerator not in accelerators():
        raise InputError(f"--accelerator: {options.accelerator} is not one of {', '.join(accelerators())}")
    asked = _Asked(options=options, policies=policies, prices=prices, window=window)
    for model, counted in sorted(totals.items()):
        policy = _policy(asked, model, alone=len(totals) == 1)
        pricing = _pricing(asked, policy)
        known = Known(
            span=window,
            startup=_startup(asked, policy, counted),
            stated=_stated(asked, policy),
            held=_held(asked, policy, counted),
            pricing=pricing,
        )
        yield model, evidence_of(counted, known), prices.currency


def _policy(asked: _Asked, model: Model, *, alone: bool) -> CostPolicy | None:
    """Return the policy of a model: the one that serves its name, the only one given, or one made of options."""
    named = [each for each in asked.policies if each.spec.model is not None and each.spec.model.name == model.name]
    if named or (len(asked.policies) == 1 and alone):
        return (named or list(asked.policies))[0]
    if asked.options.model is None or not alone:
        return None
    hardware = {"accelerators": [asked.options.accelerator]} if asked.options.accelerator else {}
    from pydantic import ValidationError

    try:
        return CostPolicy.model_validate(
            {
                "apiVersion": "costpolicy.dev/v1alpha1",
                "kind": "CostPolicy",
                "metadata": {"name": "audited"},
                "spec": {
                    "model": {
                        "name": model.name or "audited",
                        "source": {"huggingFace": {"repository": asked.options.model}},
                    },
                    "objectives": {"ttft": {"p95": asked.options.ttft}},
                    "hardware": hardware,
                    "scaling": {"maxReplicas": 1000},
                },
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--model, --ttft: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _pricing(asked: _Asked, policy: CostPolicy | None) -> Pricing | Missing:
    if policy is None:
        return Missing(
            reason=Reason.NOT_STATED, message="no model to plan for is named: give -f with a policy, or --model"
        )
    _, request = question_offline(policy, asked.prices)
    return Replanner(request)


def _startup(asked: _Asked, policy: CostPolicy | None, counted: Totals) -> Startup:
    release = _release(asked, policy)
    text, own = asked.options.engine_args, policy.spec.engine.extra_args if policy else ()
    arguments = None
    if text is not None or own:
        words = [*own, *shlex.split(text or "")]
        arguments = values_of((release or newest_engine()).flags, words)
    return Startup(
        release=release,
        arguments=arguments,
        environment=_environment(asked, policy),
        prefix_caching=counted.prefix_caching,
    )


def _release(asked: _Asked, policy: CostPolicy | None) -> Engine | None:
    version = asked.options.engine_version or (policy.spec.engine.version if policy else "")
    try:
        return engine(version) if version else None
    except EngineError as error:
        raise InputError(f"--engine-version: {error}") from error


def _environment(asked: _Asked, policy: CostPolicy | None) -> Mapping[str, str]:
    own = {one.name: one.value or "" for one in policy.spec.engine.env} if policy else {}
    return own | dict(_pair(text) for text in asked.options.env)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputError(f"--env: write NAME=VALUE, not {text!r}")
    return name, value


def _stated(asked: _Asked, policy: CostPolicy | None) -> Stated:
    useful, shared = asked.options.useful_tokens, asked.options.shared_prefix_tokens
    if policy is not None:
        useful = useful or policy.spec.techniques.output_length.max_tokens
        shared = shared or (policy.spec.traffic.shared_prefix_tokens if policy.spec.traffic else None)
    return Stated(useful_tokens=useful, shared_prefix_tokens=shared)


def _held(asked: _Asked, policy: CostPolicy | None, counted: Totals) -> Held | None:
    """Return what is paid for: what options name, else what the policy's status says runs."""
    current = policy.status.current if policy and policy.status else None
    if asked.options.accelerator is not None:
        name, count = asked.options.accelerator, asked.options.accelerators or counted.engines
        per_replica = max(count // max(counted.engines, 1), 1)
    elif current is not None:
        name, per_replica = current.accelerator, current.accelerators_per_replica
        count = per_replica * current.replicas
    else:
        return None
    price = _price(asked.prices, name, current.capacity_type if current else "OnDemand")
    if price is None or not count:
        return None
    return Held(accelerators=count, accelerators_per_replica=per_replica, cost_per_hour=price * count)


def _price(prices: PriceList, accelerator: str, capacity_type: str) -> Money | None:
    offered = (
        one.hourly
        for one in prices.offerings
        if one.accelerator.name == accelerator and one.capacity_type == capacity_type
    )
    return next(offered, None)
