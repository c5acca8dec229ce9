"""Makes LiteLLM's server ask its clients to let go while its pod is being stopped.

LiteLLM has no option for middleware, but calls the functions that ``LITELLM_WORKER_STARTUP_HOOKS`` names before it serves.
This file is copied into router pods, beside :mod:`costpolicy.drain.program`.
"""

from importlib import import_module
from typing import Any

from .program import CloseConnections  # in a pod the package has another name


def install() -> None:
    """Wrap the proxy's application; a proxy that is built otherwise is left as it is, since it has to start."""
    app: Any = getattr(import_module("litellm.proxy.proxy_server"), "app", None)
    stack = getattr(app, "middleware_stack", None)
    if stack is not None:
        app.middleware_stack = CloseConnections(stack)
