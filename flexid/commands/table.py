"""All commands: their names, and where they stand. None is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from flexid.commands.command import Command


@frozen
class Entry:
    """A command by name; `aliases` are the names of older runbooks."""

    name: str
    summary: str
    place: str
    aliases: tuple[str, ...] = ()

    def load(self) -> Command:
        """Import the command."""
        module, _, name = self.place.partition(":")
        command: Command = getattr(import_module(f"flexid.commands.{module}"), name)
        return command

    @property
    def group(self) -> str:
        """Return the first word."""
        return self.name.partition(" ")[0]


RUN = Entry("run", "start the server in the foreground (the same as twistd -n flexid)", "")

TABLE: tuple[Entry, ...] = (
    RUN,
    Entry("spaces create-update", "create a Space, or change it", "spaces:CREATE_UPDATE", ("spaces:create-update",)),
    Entry(
        "spaces expiration-emails",
        "mail to administrators of Spaces that expire soon",
        "expirations:TELL",
        ("spaces:expiration-emails",),
    ),
    Entry(
        "spaces import-dotenv",
        "set what the .env of a Flexisip Account Manager says of a Space",
        "space_dotenv:IMPORT",
        ("spaces:import-configuration-from-dot-env",),
    ),
    Entry(
        "accounts create-admin",
        "create an admin with an API key",
        "administrators:CREATE_ADMIN",
        ("accounts:create-admin-account",),
    ),
    Entry(
        "accounts set-admin", "make an account an administrator", "administrators:SET_ADMIN", ("accounts:set-admin",)
    ),
    Entry("accounts import", "create the accounts of a file, all or none", "account_files:IMPORT"),
    Entry("accounts export", "write the accounts of a Space, without passwords", "account_files:EXPORT"),
    Entry(
        "accounts clear-unconfirmed",
        "count or delete accounts that nobody confirmed within so many days",
        "clearance:CLEAR_UNCONFIRMED",
        ("accounts:clear-unconfirmed",),
    ),
    Entry(
        "accounts clear-tombstones",
        "count or delete what keeps the names of deleted accounts",
        "clearance:CLEAR_TOMBSTONES",
        ("accounts:clear-accounts-tombstones",),
    ),
    Entry(
        "accounts clear-files",
        "count or delete voicemails older than so many days",
        "voicemails:CLEAR_FILES",
        ("accounts:clear-files",),
    ),
    Entry(
        "accounts send-voicemail-emails",
        "mail about voicemails that nobody was told of",
        "voicemails:SEND_MAILS",
        ("accounts:send-voicemails-emails",),
    ),
    Entry("accounts seed", "write accounts from a seed file", "seeds:SEED", ("accounts:seed",)),
    Entry(
        "statistics clear",
        "count or delete calls and messages older than so many days",
        "clearance:CLEAR_STATISTICS",
        ("app:clear-statistics",),
    ),
    Entry(
        "phone-countries update",
        "take over countries from libphonenumber",
        "upkeep:UPDATE_PHONE_COUNTRIES",
        ("app:update-phone-countries",),
    ),
    Entry(
        "api-keys clear",
        "delete API keys that were not used for long",
        "upkeep:CLEAR_API_KEYS",
        ("digest:clear-api-keys", "accounts:clear-api-keys"),
    ),
    Entry(
        "nonces clear",
        "forget Digest nonces that were not used for long",
        "upkeep:CLEAR_NONCES",
        ("digest:clear-nonces", "digest:clear-opaques"),
    ),
    Entry(
        "import-upstream",
        "move a whole database of Flexisip Account Manager here, see docs/moving.md",
        "upstream:MOVE",
    ),
    Entry("outbox list", "list what is to be told to others, and what became of it", "outbox:LIST"),
    Entry("outbox retry", "deliver once more what waits or was given up", "outbox:RETRY"),
    Entry("messages send", "send a SIP message", "messages:SEND"),
    Entry("hooks check", "try your own functions on a sample account", "hooks:CHECK"),
    Entry("doctor", "look at all that flexid needs, and say what to do", "doctor:EXAMINE"),
    Entry("db migrate", "bring the database up to date", "database:MIGRATE"),
    Entry("db status", "tell how the database is", "database:STATUS"),
    Entry("db backup", "write the whole database into a file", "database:BACKUP"),
    Entry("db restore", "replace the whole database by a backup", "database:RESTORE"),
    Entry("config check", "tell whether the configuration is right", "configuration:CHECK"),
    Entry("config show", "show every setting and its value, without secrets", "configuration:SHOW"),
    Entry(
        "config from-dotenv", "translate the .env of a Flexisip Account Manager into our settings", "dotenv:FROM_DOTENV"
    ),
    Entry("config docs", "describe every setting, in Markdown", "configuration:DOCS"),
)

BY_NAME = {name: entry for entry in TABLE for name in (entry.name, *entry.aliases)}
