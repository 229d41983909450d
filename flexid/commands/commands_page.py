"""`docs/commands.md`, from the table of commands."""

from __future__ import annotations

import re

from flexid.commands.main import parser
from flexid.commands.table import RUN, TABLE, Entry

HEAD = """# Commands

Written by `make docs` from `flexid/commands/table.py`; change the declarations there.

`flexid COMMAND` and `twistd flexid COMMAND` are the same thing. Every command knows `--help` and `--config FILE`;
results go to stdout, problems to stderr, and the exit code is 0 only if all went well (1 if not, 2 if the command line
cannot be understood, 130 if it was interrupted). With `--json` nothing but JSON is on stdout.
"""
EXAMPLES = {
    "run": "flexid --config /etc/flexid/flexid.toml run",
    "spaces create-update": "flexid spaces create-update sip.example.org accounts.example.org 'Our phones' --super",
    "spaces expiration-emails": "flexid spaces expiration-emails 7,3,1",
    "spaces import-dotenv": "flexid spaces import-dotenv sip.example.org /opt/fam/.env",
    "accounts create-admin": "flexid accounts create-admin -u admin -d sip.example.org",
    "accounts set-admin": "flexid accounts set-admin 42",
    "accounts import": "flexid accounts import staff.csv --domain sip.example.org --dry-run",
    "accounts export": "flexid accounts export --domain sip.example.org --output staff.csv",
    "accounts clear-unconfirmed": "flexid accounts clear-unconfirmed 30 --apply",
    "accounts clear-tombstones": "flexid accounts clear-tombstones 365 --apply",
    "accounts clear-files": "flexid accounts clear-files 90 --apply",
    "accounts send-voicemail-emails": "flexid accounts send-voicemail-emails",
    "accounts seed": "flexid accounts seed load-test.json",
    "statistics clear": "flexid statistics clear 400 --apply",
    "phone-countries update": "flexid phone-countries update",
    "api-keys clear": "flexid api-keys clear 60",
    "nonces clear": "flexid nonces clear 60",
    "import-upstream": "flexid import-upstream mysql://fam@localhost/fam --files /opt/fam/storage --dry-run",
    "outbox list": "flexid outbox list",
    "outbox retry": "flexid outbox retry 17",
    "messages send": "flexid messages send sip:alice@sip.example.org 'Hello'",
    "hooks check": "flexid hooks check",
    "doctor": "flexid doctor",
    "db migrate": "flexid db migrate",
    "db status": "flexid db status --json",
    "db backup": "flexid db backup /var/backups/flexid.dump",
    "db restore": "flexid db restore /var/backups/flexid.dump",
    "config check": "flexid --config /etc/flexid/flexid.toml config check",
    "config show": "flexid config show",
    "config from-dotenv": "flexid config from-dotenv /opt/fam/.env > flexid.toml",
    "config docs": "flexid config docs > configuration.md",
}
SHARED = re.compile(r" \[(-h|--json|--config FILE)\]")


def commands_page() -> str:
    """Return the page."""
    return "\n".join([HEAD, *map(_entry, TABLE)])


def _entry(entry: Entry) -> str:
    aliases = f"\n\nAlso as {', '.join(f'`{alias}`' for alias in entry.aliases)}." if entry.aliases else ""
    summary = entry.summary[0].upper() + entry.summary[1:]
    usage = "" if entry is RUN else f"{_usage(entry)}\n"
    lines = [usage.rstrip("\n")] if usage and usage.strip() != EXAMPLES[entry.name] else []
    text = "\n".join([*lines, f"$ {EXAMPLES[entry.name]}"])
    return f"## flexid {entry.name}\n\n{summary}.{aliases}\n\n```\n{text}\n```\n"


def _usage(entry: Entry) -> str:
    usage = parser(entry).format_usage().removeprefix("usage: ")
    return SHARED.sub("", re.sub(r"\s+", " ", usage)).strip()
