"""Who may ask: ``custom_auth: router_plugin.keys.authenticate``.

Without a database LiteLLM has one key, the administrator's.  Here each tenant has one of its own, which the kubelet reads
from a Secret into an environment variable.  A tenant reaches its routes and nothing else.  No key is logged or echoed.

What cannot be read here keeps this router from starting, while the one that runs goes on serving.
"""

import os
from pathlib import Path
from typing import Final

from fastapi import Request
from litellm.proxy._types import LitellmUserRoles, ProxyException, UserAPIKeyAuth
from litellm.proxy.common_utils.http_parsing_utils import read_request_body
from litellm.types.utils import is_litellm_owned_kwarg

from .admission import Refusal, refusal
from .keyring import Keyring
from .loading import read_routing

KEYRING: Final = Keyring.of(read_routing(Path(__file__).absolute().parent.parent), os.environ)


async def authenticate(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Return who asks, as LiteLLM wants it.

    The body is read by LiteLLM's own function, so nothing else can be read in it later.

    Raises:
        ProxyException: 401, the key is nobody's; 403, this is not for its owner.
    """
    key = (api_key or "").removeprefix("Bearer ")
    if KEYRING.is_master(key):
        return UserAPIKeyAuth(user_id="administrator", user_role=LitellmUserRoles.PROXY_ADMIN)
    tenant = KEYRING.owner(key)
    if tenant is None:
        raise _error(Refusal(401, "the key is not one of this router's"))
    body = await read_request_body(request)
    refused = refusal(tenant.routes, request.url.path, dict(request.query_params), body, is_litellm_owned_kwarg)
    if refused is not None:
        raise _error(refused)
    return UserAPIKeyAuth(
        user_id=tenant.name,
        key_alias=tenant.name,
        models=sorted(tenant.routes),
        user_role=LitellmUserRoles.INTERNAL_USER,
    )


def _error(refused: Refusal) -> ProxyException:
    return ProxyException(message=refused.message, type="auth_error", param=None, code=refused.status)
