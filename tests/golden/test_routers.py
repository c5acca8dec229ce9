"""Rendered routers equal the reviewed files.

Covered: every field of every object, LiteLLM's configuration and what the callback is told.
Not covered: whether the API server accepts them (tests/integration/manifests), and whether LiteLLM does (tests/router).
"""

import pytest

from golden.routing import RouterCase, router_cases


@pytest.mark.parametrize("case", router_cases(), ids=lambda case: case.name)
def test_renders_the_router_that_was_reviewed(case: RouterCase) -> None:
    assert case.expected.read_text() == case.rendered(), "run `make golden` and review the difference"
