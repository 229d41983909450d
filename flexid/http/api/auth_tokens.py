"""Auth tokens: a signed-in device lets another one in."""

from __future__ import annotations

from typing import Any, TypedDict

from flexid.http.answers import moment
from flexid.http.call import Call
from flexid.http.routes import PUBLIC, USER, Routes

routes = Routes("/api/accounts", title="Auth tokens")


class AuthTokenAnswer(TypedDict):
    """A token for a QR code; it lives 5 minutes."""

    token: str
    account_id: int | None
    ip: str | None
    user_agent: str | None
    updated_at: str
    created_at: str
    id: int


class ApiKeyAnswer(TypedDict):
    """An API key, shown this once."""

    api_key: str


@routes.post("/auth_token", caller=PUBLIC, created=True)
async def create(call: Call[Any]) -> AuthTokenAnswer:
    """Make an auth token, attached to nobody yet."""
    token = await call.services.auth_tokens.create(call.space, call.origin)
    return AuthTokenAnswer(
        token=token.token,
        account_id=token.account_id,
        ip=token.ip,
        user_agent=token.user_agent,
        updated_at=moment(token.updated_at),
        created_at=moment(token.created_at),
        id=token.id,
    )


@routes.get("/auth_token/{token}/attach", caller=USER)
async def attach(call: Call[Any], token: str) -> None:
    """Attach the caller's account to a token."""
    await call.services.auth_tokens.attach(call.space, call.actor, token)


@routes.get("/me/api_key/{auth_token}", caller=PUBLIC, answers={200: ApiKeyAnswer})
async def redeem(call: Call[Any], auth_token: str) -> ApiKeyAnswer | None:
    """Exchange a token with an account for an API key of that account; the token is gone."""
    if call.request.method == b"HEAD":
        await call.services.auth_tokens.refuse_unless_attached(call.space, auth_token)
        return None
    return ApiKeyAnswer(api_key=await call.services.auth_tokens.redeem_for_key(call.space, auth_token, call.origin.ip))
