"""LiteLLM's application is wrapped before it serves, and left alone where it is built otherwise.

Not covered: the real LiteLLM (tests/router).
"""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from costpolicy.drain import program
from costpolicy.drain.program import CloseConnections
from costpolicy.drain.proxy import install


def stack(scope, receive, send):
    """Be what LiteLLM has built."""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """A module that is called as LiteLLM's server."""
    monkeypatch.setattr(program, "STOPPING", tmp_path / "costpolicy-stopping")
    made = ModuleType("litellm.proxy.proxy_server")
    for name in ("litellm", "litellm.proxy"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def test_the_application_is_wrapped(module: ModuleType):
    module.app = SimpleNamespace(middleware_stack=stack)  # type: ignore[attr-defined]
    install()

    assert isinstance(module.app.middleware_stack, CloseConnections)


@pytest.mark.parametrize("app", [None, SimpleNamespace(), SimpleNamespace(middleware_stack=None)])
def test_a_proxy_that_is_built_otherwise_starts_as_it_is(app: object, module: ModuleType):
    module.app = app  # type: ignore[attr-defined]
    before = dict(vars(app)) if app else None
    install()

    assert before == (dict(vars(app)) if app else None)
