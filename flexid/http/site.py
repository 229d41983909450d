"""The HTTP server, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from flexid.base.metrics import Durations
from flexid.base.settings import Settings
from flexid.domain import phones
from flexid.http import health
from flexid.http.api import (
    account_actions,
    account_files,
    account_mails,
    account_types,
    accounts,
    address_changes,
    auth_tokens,
    call_forwardings,
    carddav_credentials,
    contacts,
    contacts_lists,
    creation_request_tokens,
    creation_tokens,
    devices,
    dictionary,
    events,
    external_accounts,
    messages,
    openapi_routes,
    own_account,
    phone_countries,
    ping,
    push,
    space_integrations,
    spaces,
    statistics,
    turn,
    vcards,
    voicemails,
    webhooks,
    wizard,
)
from flexid.http.dispatch import Root
from flexid.http.guards import Guards
from flexid.http.peers import Proxies
from flexid.http.portal import assets, files, logos, resources
from flexid.http.provisioning import cards, documents, pages
from flexid.http.request import FlexidSite
from flexid.http.router import Router
from flexid.http.routes import Route, Routes
from flexid.services.catalogue import Services

RESOURCES: tuple[Routes, ...] = (
    ping.routes,
    phone_countries.routes,
    spaces.routes,
    space_integrations.carddav_routes,
    space_integrations.email_routes,
    space_integrations.oidc_routes,
    own_account.routes,
    address_changes.routes,
    account_mails.routes,
    auth_tokens.routes,
    creation_tokens.routes,
    creation_request_tokens.routes,
    push.routes,
    account_files.routes,
    accounts.routes,
    accounts.resolve_routes,
    statistics.routes,
    statistics.own_routes,
    statistics.account_routes,
    messages.routes,
    turn.routes,
    events.routes,
    wizard.routes,
    webhooks.routes,
    dictionary.routes,
    external_accounts.routes,
    carddav_credentials.routes,
    account_types.routes,
    account_types.account_routes,
    account_actions.routes,
    contacts.own_routes,
    contacts.account_routes,
    contacts_lists.routes,
    contacts_lists.account_routes,
    call_forwardings.own_routes,
    call_forwardings.account_routes,
    vcards.own_routes,
    vcards.account_routes,
    devices.own_routes,
    devices.account_routes,
    voicemails.own_routes,
    voicemails.account_routes,
    voicemails.file_routes,
    cards.contact_routes,
    cards.stored_routes,
    documents.routes,
    pages.routes,
    logos.routes,
    files.routes,
    *resources.RESOURCES,
)
"""Every resource; a new one is added here, a page to `flexid.http.portal.resources`."""
DESCRIPTION = openapi_routes.describing(RESOURCES)


def every_route() -> list[Route]:
    """Return all routes that need no wiring of their own."""
    return [route for resource in (*RESOURCES, *DESCRIPTION) for route in resource.routes]


def make_site(
    services: Services,
    settings: Settings,
    reactor: Any,
    ready: Callable[[], Awaitable[dict[str, str]]],
    is_open: Callable[[], bool] = lambda: True,
) -> FlexidSite:
    """Return the server; `ready` names what is not well, and until `is_open` nothing but that is answered."""
    shipped = assets.read()
    words = {
        "asset": partial(assets.url, shipped),
        "drawn_icon": assets.icons(assets.url(shipped, "icons.svg")),
        "phone": phones.grouped,
    }
    requests: Durations[tuple[str, int]] = Durations()
    templates = services.templates.with_words(words)
    router = Router(
        services,
        settings,
        Guards(services),
        Proxies.read(settings.trusted_proxies),
        templates,
        is_open,
        reactor.seconds,
        requests,
    )
    wired = [*health.routes(ready, services.conditions.away).routes, *assets.routes(shipped).routes]
    root = Root(router, [*every_route(), *wired])
    limits = settings.limits
    large = {route.path.encode(): limits.max_import_size for route in every_route() if route.large}
    site = FlexidSite(root, reactor, max_body_size=limits.max_body_size, intake=root.intake, large=large)
    site.requests = requests
    return site
