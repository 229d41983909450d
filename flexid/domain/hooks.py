"""What operators' own functions are given, and what is taken from them."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from flexid.domain.lpconfig import Section

PROXY, AUTH, ADDITIONAL = "proxy_section", "auth_section", "additional_sections"
OF_DOCUMENTS = (PROXY, AUTH, ADDITIONAL)
CREATED, EDITED, DELETED = "account_created", "account_edited", "account_deleted"
OF_ACCOUNTS = (CREATED, EDITED, DELETED)
"""Names of the functions that a file may define."""

MOST_SECTIONS = 100
MOST_ENTRIES = 1_000
LONGEST_NAME = 255
LONGEST_VALUE = 65_536


@frozen
class HookRequest:
    """The request for a document; names of headers are lower case."""

    host: str
    path: str
    ip: str
    user_agent: str
    headers: Mapping[str, str] = field(factory=dict, repr=False)


@frozen
class ChangeRequest:
    """The request that changed an account: from where, and `by` which account, empty if nobody was signed in."""

    ip: str
    user_agent: str
    by: str
    request_id: str


def section_of(name: object, entries: object) -> Section:
    """Return a section as a function has left it; True and False become 1 and 0, as Linphone has them.

    :raise ValueError: no document can hold it.
    """
    if not isinstance(entries, Mapping) or len(entries) > MOST_ENTRIES:
        raise ValueError(f"the section {name!r} is no dictionary of at most {MOST_ENTRIES} entries")
    return Section(_name(name), tuple((_name(key), _value(key, value)) for key, value in entries.items()))


def sections_of(config: object) -> tuple[Section, ...]:
    """Return the sections that a function has made; those without entries are left out.

    :raise ValueError: no document can hold them.
    """
    if not isinstance(config, Mapping) or len(config) > MOST_SECTIONS:
        raise ValueError(f"the configuration is no dictionary of at most {MOST_SECTIONS} sections")
    return tuple(section_of(name, entries) for name, entries in config.items() if entries)


def _name(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"{name!r} is no name of 1 to {LONGEST_NAME} characters")
    return name


def _value(key: object, value: object) -> str:
    if not isinstance(value, str | int | float):
        raise ValueError(f"the value of {key!r} is neither text nor a number")  # noqa: TRY004  # one error for all
    text = str(int(value)) if isinstance(value, bool) else str(value)
    if len(text) > LONGEST_VALUE:
        raise ValueError(f"the value of {key!r} is longer than {LONGEST_VALUE} characters")
    return text
