"""A real LiteLLM whose callback is broken on purpose: the trusted tier answers.

Covered: files that cannot be read, a module that is missing, every step that raises.
Not covered: ``callback.py`` itself missing, without which LiteLLM does not start and the router that runs goes on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from costpolicy.manifests.router.files import coefficients_file
from costpolicy.manifests.router.inputs import Cap
from process_group import StartError
from router.clients import EASY, MASTER_KEY, Client, Tiers, decided, serving
from router.folder import PLUGIN

STEPS = {
    "attribute": ("request.py", "feature_of"),
    "choose": ("choosing.py", "tier_for"),
    "sample": ("sampling.py", "is_sampled"),
    "limit": ("request.py", "capped"),
    "stop": ("request.py", "stops_with"),
    "compress": ("compression.py", "shortened"),
}
"""A function of each step, by its module."""

Break = Callable[[Path], None]


def raising(module: Path, *functions: str) -> None:
    broken = "".join(f"\ndef {name}(*_):\n    raise RuntimeError('a secret of the request')\n" for name in functions)
    module.write_text(module.read_text() + broken)


def break_every_step(folder: Path) -> None:
    for module, function in STEPS.values():
        raising(folder / PLUGIN.name / module, function)


def broken_router(tiers: Tiers, work: Path, spoil: Break, tenants: bool = False) -> AbstractContextManager[Client]:
    given = decided(tenants=tenants)
    chat = replace(given.routes[0], caps={"": Cap(max_tokens=300, stop=("END",))})
    return serving(work / "folder", replace(given, routes=(chat, *given.routes[1:])), tiers.addresses, spoil)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "routes.json").write_text('{"version": 1, "routes": {'),
        lambda folder: (folder / PLUGIN.name / "score.py").unlink(),
    ],
    ids=["routes.json does not parse", "a module is missing"],
)
def test_what_cannot_be_loaded_leaves_everything_to_the_trusted_tier(tiers: Tiers, tmp_path: Path, spoil: Break):
    with broken_router(tiers, tmp_path, spoil) as client:
        answer = client.ask(key=MASTER_KEY)

        assert (200, "from large") == (answer.status_code, answer.json()["choices"][0]["message"]["content"])
        assert 1 == client.router.text().count("nothing is routed and nothing is counted")


def test_a_score_that_cannot_be_read_leaves_its_route_to_the_trusted_tier_and_is_counted(tiers: Tiers, tmp_path: Path):
    with broken_router(
        tiers, tmp_path, lambda folder: (folder / coefficients_file("chat")).write_text('{"version": 99}')
    ) as client:
        answer = client.ask(key=MASTER_KEY)

        assert "from large" == answer.json()["choices"][0]["message"]["content"]
        assert 1 == client.total("costpolicy_route_callback_errors_total", step="coefficients")


def test_steps_that_raise_are_left_out_and_counted_and_the_request_is_answered(tiers: Tiers, tmp_path: Path):
    with broken_router(tiers, tmp_path, break_every_step) as client:
        answers = [client.ask(key=MASTER_KEY, text=EASY, max_tokens=900) for _ in range(2)]
        [first, _] = tiers.large.asked

        assert [200, 200] == [answer.status_code for answer in answers]
        assert (900, None) == (first["max_tokens"], first.get("stop"))
        for step in STEPS:
            assert 2 == client.total("costpolicy_route_callback_errors_total", step=step), step
            assert 1 == client.router.text().count(f"the step {step!r} failed"), step
        assert "a secret of the request" not in client.router.text()


def test_a_router_whose_keys_cannot_be_read_does_not_start(tiers: Tiers, tmp_path: Path):
    with (
        pytest.raises(StartError, match="RoutesError"),
        broken_router(tiers, tmp_path, lambda folder: (folder / "routes.json").write_text("{}"), tenants=True),
    ):
        pass
