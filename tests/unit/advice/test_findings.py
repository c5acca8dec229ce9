"""What is found in a Deployment: each finding fires on what costs money and is silent on its healthy twin.

Not covered: how much a finding saves where that needs a plan (``test_review``).
"""

from dataclasses import replace
from typing import Any

import pytest

from builders import node, offering
from costpolicy.advice.existing import Existing, Surroundings, existing_of
from costpolicy.advice.findings import (
    Finding,
    FindingName,
    eager_mode,
    outdated_engine,
    over_provisioned,
    prefix_caching_off,
    replicas_not_ready,
    small_batch,
    unused_accelerators,
)
from costpolicy.catalog.accelerators import accelerators
from costpolicy.catalog.engines import newest_engine
from foreign import REPOSITORY, container, deployment, pods


def existing(*args: str, ready: int | None = None, gpus: int = 1, **fields: Any) -> Existing:
    box = container(["--model", REPOSITORY, *args], gpus=gpus, image=fields.pop("image", "vllm/vllm-openai:v0.32.0"))
    of = deployment(box, **fields)
    found = existing_of(of, Surroundings(pods=pods(of, ready=ready), nodes=[node()], offerings=[offering()]))
    assert isinstance(found, Existing)
    return found


def wasted(finding: Finding | None) -> str | None:
    return finding.wasted.text() if finding is not None and finding.wasted is not None else None


def test_replicas_that_hold_accelerators_and_are_not_ready():
    found = replicas_not_ready(existing(replicas=3, ready=1))

    assert ("5.00", "2 of 3 replicas hold 2 accelerators and are not ready") == (wasted(found), found.evidence)
    assert replicas_not_ready(existing(replicas=3)) is None


def test_a_replica_that_keeps_dying_is_named():
    one = existing(ready=0)
    dying = replace(one, pods=(replace(one.pods[0], restarts=7),))

    assert "theirs-0 restarted 7 times" in replicas_not_ready(dying).evidence


def test_accelerators_that_no_engine_uses():
    found = unused_accelerators(existing("-tp=2", gpus=4, replicas=2))

    assert ("10.00", FindingName.UNUSED_ACCELERATORS) == (wasted(found), found.name)
    assert unused_accelerators(existing("-tp=4", gpus=4)) is None


def test_replicas_beyond_what_the_load_needs():
    assert "5.00" == wasted(over_provisioned(existing(replicas=4), 2, "2 requests/s"))
    assert over_provisioned(existing(replicas=2), 2, "2 requests/s") is None


def test_a_limit_of_sequences_below_the_release_s_own():
    default = newest_engine().defaults(accelerators()["nvidia-h100-80gb"], 1)

    assert FindingName.SMALL_BATCH is small_batch(existing("--max-num-seqs=32").given, default).name
    assert small_batch(existing("--max-num-seqs=1024").given, default) is None
    assert small_batch(existing().given, default) is None


@pytest.mark.parametrize(
    "args",
    [
        ("--enforce-eager",),
        ("-O0",),
        ("--optimization-level=0",),
        ("-cc.mode=0",),
        ('--compilation-config={"cudagraph_mode": "NONE"}',),
    ],
)
def test_graphs_or_compilation_switched_off(args: tuple[str, ...]):
    found = eager_mode(existing(*args).given)

    assert FindingName.EAGER_MODE is found.name
    assert found.wasted is None


@pytest.mark.parametrize("args", [(), ("--no-enforce-eager",), ("-O3",), ('-cc={"mode": 3}',)])
def test_graphs_that_are_on_are_no_finding(args: tuple[str, ...]):
    assert eager_mode(existing(*args).given) is None


def test_prefix_caching_switched_off():
    assert FindingName.PREFIX_CACHING_OFF is prefix_caching_off(existing("--no-enable-prefix-caching").given).name
    assert prefix_caching_off(existing("--enable-prefix-caching").given) is None
    assert prefix_caching_off(existing().given) is None


@pytest.mark.parametrize(
    ("image", "behind"),
    [
        ("vllm/vllm-openai:v0.24.0", "9 minor releases behind"),
        ("vllm/vllm-openai:v0.8.5", "older than every release"),
        ("vllm/vllm-openai:v0.32.0", None),
        ("vllm/vllm-openai:v0.99.0", None),
        ("vllm/vllm-openai:latest", None),
    ],
)
def test_a_release_far_behind_the_newest(image: str, behind: str | None):
    seen = existing(image=image)
    found = outdated_engine(seen.engine, seen.version)

    assert (found is None) is (behind is None)
    assert found is None or behind in found.evidence
