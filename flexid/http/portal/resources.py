"""Every page of the portal; a new one is added here."""

from __future__ import annotations

from flexid.http.portal import (
    about,
    account_creation,
    account_deletion,
    account_dictionary,
    account_edition,
    account_page,
    accounts,
    api_keys,
    creation_request,
    dashboard,
    device_sign_in,
    login,
    own_api_key,
    own_deletion,
    password,
    password_reset,
    phone_countries,
    qr_sign_in,
    spaces,
    spaces_administration,
    spaces_configuration,
    wizard,
)
from flexid.http.routes import Routes

RESOURCES: tuple[Routes, ...] = (
    login.routes,
    qr_sign_in.routes,
    about.routes,
    dashboard.routes,
    password.routes,
    password_reset.routes,
    creation_request.routes,
    device_sign_in.routes,
    own_api_key.routes,
    own_deletion.routes,
    api_keys.routes,
    phone_countries.routes,
    accounts.routes,
    account_creation.routes,
    account_page.routes,
    account_edition.routes,
    account_deletion.routes,
    account_dictionary.routes,
    spaces.routes,
    spaces_configuration.routes,
    spaces_administration.routes,
    wizard.routes,
)
