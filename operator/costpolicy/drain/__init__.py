"""What runs in the engine's container so that it can be stopped without losing a request.

A Service stops sending new connections to a pod that ends, but a connection that a client keeps stays where it is. The
engine would serve it until SIGTERM and then answer HTTP 500 or hang up. See docs/decisions/0017-kept-connections.md.

Every byte of the program is in the pod template: another text is another template revision (``manifests.inputs``), or an
update of the operator would restart every engine.
"""

from functools import cache
from importlib.resources import files


@cache
def program_source() -> str:
    """Return the text of :mod:`costpolicy.drain.program`, which the engine's pods carry along."""
    return (files(__name__) / "program.py").read_text(encoding="utf-8")
