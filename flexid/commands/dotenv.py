"""`flexid config from-dotenv`: settings of a Flexisip Account Manager in ours.

Of its keys are known those that all services of this make share, and those that are called as settings of ours are.
Others are named as unknown instead of guessed at.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import Factory, define
from pydantic import ValidationError

from flexid.base.settings import Settings
from flexid.commands.command import Command, Outcome, Problem, Program
from flexid.domain import dotenv

LEVELS = {
    "debug": "debug",
    **dict.fromkeys(("info", "notice"), "info"),
    "warning": "warn",
    **dict.fromkeys(("error", "critical", "alert", "emergency"), "error"),
}
ALIKE = {
    "BLOCKING_TIME_PERIOD_CHECK": "blocking.time_period_check",
    "BLOCKING_AMOUNT_EVENTS_AUTHORIZED_DURING_PERIOD": "blocking.amount_events_authorized_during_period",
    "ALLOW_PHONE_NUMBER_USERNAME_ADMIN_API": "accounts.allow_phone_number_username_admin_api",
    "SESSION_LIFETIME": "lifetimes.session",
    "HCAPTCHA_SITEKEY": "captcha.site_key",
    "HCAPTCHA_SECRET": "captcha.secret",
    "MAIL_FROM_ADDRESS": "mail.from_address",
}
"""Keys whose values are ours as they are."""
NEEDLESS = (
    *("APP_ENV", "APP_KEY", "APP_DEBUG", "APP_TIMEZONE", "APP_LOCALE", "APP_FALLBACK_LOCALE", "LOG_CHANNEL"),
    *(
        "AWS_",
        "BROADCAST_",
        "CACHE_",
        "FILESYSTEM_",
        "MEMCACHED_",
        "MIX_",
        "PUSHER_APP_",
        "QUEUE_",
        "SESSION_",
        "VITE_",
    ),
)
"""Keys, and beginnings of keys, of what flexid does without."""
SUBMISSION_OVER_TLS = "465"


@define
class Translation:
    """Settings by name, and words about those that became none."""

    values: dict[str, str] = Factory(dict)
    notes: list[str] = Factory(list)


def translate(env: Mapping[str, str]) -> Translation:
    """Return what settings come to here."""
    made = Translation()
    used = {key for key in env if key in ALIKE and env[key]}
    made.values.update({ALIKE[key]: env[key] for key in sorted(used)})
    for read in (_address, _logging, _mail, _others):
        used |= read(env, made)
    for key in sorted(env.keys() - used):
        why = "nothing here needs it" if key.startswith(NEEDLESS) else "unknown here"
        if env[key] or why == "unknown here":
            made.notes.append(f"{key}: {why}")
    _drop_unfit(made)
    return made


def _address(env: Mapping[str, str], made: Translation) -> set[str]:
    url = urlsplit(env.get("APP_URL", ""))
    if url.hostname:
        made.values["root_host"] = url.hostname
        made.values["public.scheme"] = url.scheme
        if url.port:
            made.values["public.port"] = str(url.port)
    return {"APP_URL"}


def _logging(env: Mapping[str, str], made: Translation) -> set[str]:
    if level := LEVELS.get(env.get("LOG_LEVEL", "").lower()):
        made.values["log.level"] = level
        return {"LOG_LEVEL"}
    return set()


def _mail(env: Mapping[str, str], made: Translation) -> set[str]:
    mailer = env.get("MAIL_MAILER") or env.get("MAIL_DRIVER") or "smtp"
    if mailer != "smtp":
        made.notes.append(f"MAIL_MAILER: {mailer} is not known here, mails go by SMTP")
    elif host := env.get("MAIL_HOST"):
        port = env.get("MAIL_PORT") or "25"
        over_tls = env.get("MAIL_ENCRYPTION", "").lower() == "ssl" or port == SUBMISSION_OVER_TLS
        starttls = env.get("MAIL_ENCRYPTION", "").lower() in {"tls", "starttls"}
        user, password = (quote(env.get(f"MAIL_{name}", ""), safe="") for name in ("USERNAME", "PASSWORD"))
        who = f"{user}:{password}@" if user not in {"", "null"} else ""
        how = "?tls=starttls" if starttls or who else "?tls=none"
        made.values["mail.url"] = f"smtps://{who}{host}:{port}" if over_tls else f"smtp://{who}{host}:{port}{how}"
    if env.get("MAIL_FROM_NAME"):
        made.notes.append("MAIL_FROM_NAME: each Space has its own, see flexid spaces import-dotenv")
    names = ("MAILER", "DRIVER", "HOST", "PORT", "USERNAME", "PASSWORD", "ENCRYPTION", "FROM_NAME")
    return {f"MAIL_{name}" for name in names}


def _others(env: Mapping[str, str], made: Translation) -> set[str]:
    if env.get("APP_NAME"):
        made.notes.append("APP_NAME: each Space has its own name, see flexid spaces create-update")
    if host := env.get("DB_HOST"):
        scheme = {"pgsql": "postgresql"}.get(env.get("DB_CONNECTION", "mysql"), "mysql")
        port = f":{env['DB_PORT']}" if env.get("DB_PORT") else ""
        place = f"{scheme}://{env.get('DB_USERNAME', 'USER')}:PASSWORD@{host}{port}/{env.get('DB_DATABASE', '')}"
        made.notes.append(f"DB_…: its database is moved by: flexid import-upstream {place}")
    if host := env.get("REDIS_HOST"):
        made.notes.append(
            f"REDIS_…: if this is the Redis in which Flexisip keeps registrations, [redis] url = "
            f'"redis://{host}:{env.get("REDIS_PORT") or 6379}"'
        )
    return {"APP_NAME", *(key for key in env if key.startswith(("DB_", "REDIS_")))}


def _drop_unfit(made: Translation) -> None:
    """Leave out what no setting allows, with the reason."""
    try:
        Settings.model_validate(_tables(made.values))
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            place = ".".join(str(part) for part in problem["loc"])
            for name in [name for name in made.values if name == place or name.startswith(f"{place}.")]:
                del made.values[name]
                made.notes.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")


def _tables(values: Mapping[str, str]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        (tables.setdefault(section, {}) if section else tables)[key] = value
    return tables


def _lines(made: Translation, source: Path) -> Iterator[str]:
    settings = Settings.model_validate(_tables(made.values))
    yield f"# Translated from {source}; `flexid config check` tells whether it is right."
    section = ""
    for name in sorted(made.values, key=lambda name: ("." in name, name)):
        table, _, key = name.rpartition(".")
        if table != section:
            section = table
            yield f"\n[{section}]"
        value = getattr(getattr(settings, table) if table else settings, key)
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}"
    yield from (["", *(f"# {note}" for note in made.notes)] if made.notes else [])


def read_dotenv(path: Path) -> Mapping[str, str]:
    """Return what a file says.

    :raise Problem: it cannot be read.
    """
    try:
        return dotenv.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise Problem(f"{path}: {error}") from None


def _file(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the .env of a Flexisip Account Manager")


async def _from_dotenv(_: Program, options: Namespace) -> Outcome:
    made = translate(read_dotenv(options.file))
    data = {"settings": _tables(made.values), "notes": made.notes}
    return Outcome("\n".join(_lines(made, options.file)), data)


FROM_DOTENV = Command(_from_dotenv, _file)
