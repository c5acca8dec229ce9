"""What LiteLLM calls: ``callbacks: router_plugin.callback.handler``.

This module and ``keys.py`` alone import LiteLLM.  If anything of ours cannot be loaded, the handler does nothing: routes
are served by their trusted tiers, as LiteLLM's own configuration says.
"""

from __future__ import annotations

import logging
from asyncio import to_thread
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import HTTPException
from litellm.integrations.custom_logger import CustomLogger

if TYPE_CHECKING:
    from .hooks import Hooks

FOLDER: Final = Path(__file__).absolute().parent.parent
"""Where everything lies: this folder is in it."""


class Callback(CustomLogger):  # type: ignore[misc] # LiteLLM is not there where types are checked
    """One for the process; LiteLLM calls it from its event loop."""

    def __init__(self, hooks: Hooks | None) -> None:
        super().__init__()
        self._hooks = hooks

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: object, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """Change a request before it is sent.

        Raises:
            HTTPException: 403, the one thing here that does not fail open.
        """
        if self._hooks is not None:
            self._hooks.take_over()
            refused = self._hooks.refusal(getattr(user_api_key_dict, "user_role", None), data.get("model"))
            if refused:
                raise HTTPException(status_code=403, detail=refused)
            if self._hooks.takes_long(data):
                await to_thread(self._hooks.before, data)
            else:
                self._hooks.before(data)
        return data

    async def async_post_call_response_headers_hook(
        self, data: object, user_api_key_dict: object, response: object, request_headers: object = None
    ) -> dict[str, str] | None:
        """Ask the client to connect anew while this pod is being stopped."""
        return None if self._hooks is None else self._hooks.stopping.headers()

    async def async_log_success_event(
        self, kwargs: Mapping[str, Any], response_obj: object, start_time: object, end_time: object
    ) -> None:
        """Count an answer, after it was sent."""
        if self._hooks is not None:
            self._hooks.answered(kwargs, response_obj)

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: object,
        traceback_str: str | None = None,
    ) -> None:
        """Count a request that no tier answered, and tell what the tier said."""
        if self._hooks is None:
            return
        self._hooks.ended(request_data, original_exception)
        said = self._hooks.error(request_data, original_exception)
        if said is not None:
            # LiteLLM reads these fields next. An error that is returned instead is heeded for chats alone.
            for name, value in said._asdict().items():
                setattr(original_exception, name, value)


def installed(folder: Path) -> Callback:
    """Return the callback for what lies in a folder; one that does nothing if that cannot be loaded."""
    try:
        from .hooks import Hooks

        return Callback(Hooks.of(folder))
    except Exception as error:  # noqa: BLE001 - the trusted tier answers whatever is broken here
        why = f"{type(error).__name__}: {error}"
        logging.getLogger("costpolicy.router").error("nothing is routed and nothing is counted: %s", why)  # noqa: TRY400
        return Callback(None)


handler = installed(FOLDER)
