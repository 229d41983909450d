"""What a search demands of accounts, as SQL that the indexes of migration 6 answer.

`a` is the table of accounts in all of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from flexid.domain.account_search import ROLES, STATUSES, AccountSearchWish
from flexid.domain.search_text import SearchText, address_parts

WORDS = "a.words"
"""All that is searched, as it is indexed: in lower case, with spaces for what divides words."""
FIELDS = (
    "lower(' ' || a.username || ' ' || coalesce(a.email, '') || ' ' || coalesce(a.phone, '')"
    " || ' ' || coalesce(a.display_name, ''))"
)
"""The same as it stands there."""
STATUS = "(CASE WHEN a.blocked THEN 2 WHEN a.activated THEN 0 ELSE 1 END)"
"""The place of an account's status in `STATUSES`; indexed as it stands here."""
DAY_BEGINS, DAY_ENDS = "%(day)s::date::timestamptz", "(%(day)s::date + 1)::timestamptz"
LIST = """
    (SELECT l.id FROM contacts_lists l JOIN spaces s ON s.id = l.space_id
     WHERE l.id = %(contacts_list)s AND (%(domain)s::text IS NULL OR s.domain = %(domain)s))
"""
"""The contacts list, if it is one of the domain."""

CONDITIONS = {
    # Not EXISTS, which would read a long list as a whole to look a few accounts up in it.
    "contacts_list": f"""
        (SELECT true FROM contacts_list_contact m WHERE m.contacts_list_id = {LIST} AND m.contact_id = a.id LIMIT 1)
        IS TRUE
    """,
    "admin": "a.admin",
    "user": "NOT a.admin",
    "status": f"{STATUS} = %(status)s",
    # The statuses repeat what is said of the flag, in the words of the index.
    "activated": f"a.activated AND {STATUS} IN (0, 2)",
    "not activated": f"NOT a.activated AND {STATUS} IN (1, 2)",
    "since": "a.updated_at >= %(since)s",
    "day": f"a.updated_at >= {DAY_BEGINS} AND a.updated_at < {DAY_ENDS}",
}
"""By name, all but that of the text."""

SAMPLED = "(hashint8(a.id) & 63) = 0"
"""One account in 64, as the smaller index of texts has them."""

ENOUGH_OF_NAME, ENOUGH_OF_HOST = 12, 3
WHOLE_NUMBER = 8
"""So many digits of a phone number, from its end, are taken for all that its owner says of it in his country."""

_SPECIAL = re.compile(r"([\\%_])")
_DIVIDING = str.maketrans("@.-_+", " " * 5)
"""What the function account_words does."""


def criteria(wish: AccountSearchWish) -> dict[str, str]:
    """Return the conditions of a wish by name, but for its domain; their parameters are `parameters(…)`."""
    chosen = {
        "contacts_list": wish.contacts_list is not None,
        "admin": wish.role == ROLES[0],
        "user": wish.role == ROLES[1],
        "status": wish.status is not None,
        "activated": wish.activated is True,
        "not activated": wish.activated is False,
        "since": wish.updated_since is not None,
        "day": wish.updated_on is not None,
    }
    conditions = {name: CONDITIONS[name] for name, is_chosen in chosen.items() if is_chosen}
    return conditions | ({"text": _text_condition(wish.text)} if wish.text else {})


def parameters(wish: AccountSearchWish, domain: str | None) -> dict[str, Any]:
    """Return what is bound in the statements of a wish; `domain` is None for all."""
    bound: dict[str, Any] = {
        "domain": domain,
        "contacts_list": wish.contacts_list,
        "status": STATUSES.index(wish.status) if wish.status else None,
        "since": wish.updated_since,
        "day": wish.updated_on,
        "digits": _anywhere(wish.text.digits or ""),
        "phone": wish.text.phone,
        "backwards": f"{(wish.text.digits or '')[::-1]}%",
        "exactly": "".join(wish.text.words),
        "exact_host": "".join(wish.text.words).partition("@")[2].lower(),
    }
    for number, word in enumerate(wish.text.words):
        bound |= {f"word_{number}": _anywhere(word), f"indexed_{number}": _indexed(word)}
        if address := address_parts(word):
            bound[f"username_{number}"], host = address
            bound[f"host_{number}"] = f"{_literally(host)}%"
    return bound


def exact_condition(text: SearchText) -> str | None:
    """Return that the text is somebody's whole email or SIP address, or phone number; None if it cannot be one."""
    if text.phone:
        return "a.phone = %(phone)s"
    if text.digits and len(text.digits) >= WHOLE_NUMBER:
        return "reverse(a.phone) LIKE %(backwards)s"
    if len(text.words) == 1 and address_parts(text.words[0]):
        return "(lower(a.email) = lower(%(exactly)s) OR (a.username = %(username_0)s AND a.domain = %(exact_host)s))"
    return None


def is_indexed(text: SearchText) -> bool:
    """Say whether the index can find a text: it knows letters and digits."""
    return bool(text.digits) or any(_is_seen(word) for word in text.words)


def indexed_condition(text: SearchText) -> str:
    """Return what the index knows of a text; accounts of which it is true have to be looked at all the same."""
    words = [
        _or_address(f"{WORDS} LIKE lower(%(indexed_{number})s)", number, word)
        for number, word in enumerate(text.words)
        if _is_seen(word)
    ]
    return _or_digits(words, WORDS, text)


def _text_condition(text: SearchText) -> str:
    words = []
    for number, word in enumerate(text.words):
        # What the index has is quicker to look at; and of a letter or two, it has only the beginnings of words.
        conditions = [f"{WORDS} LIKE lower(%(indexed_{number})s)"] if _is_seen(word) else []
        if not conditions or word.translate(_DIVIDING) != word:
            conditions.append(f"{FIELDS} LIKE lower(%(word_{number})s)")
        words.append(_or_address(" AND ".join(conditions), number, word))
    return _or_digits(words, WORDS, text)


def _or_address(condition: str, number: int, word: str) -> str:
    if not address_parts(word):
        return f"({condition})"
    return f"({condition} OR (a.username = %(username_{number})s AND a.domain LIKE %(host_{number})s))"


def _or_digits(words: list[str], where: str, text: SearchText) -> str:
    alternatives = [" AND ".join(words)] if words else []
    if text.digits:
        alternatives.append(f"{where} LIKE %(digits)s")
    return f"({' OR '.join(alternatives)})"


def _indexed(word: str) -> str:
    name, at, host = word.partition("@")
    # What stands about the @ tells enough, and each letter costs the index time; servers of mail are the same for many.
    end = name[-ENOUGH_OF_NAME:]
    part = f"{end}@{host[:ENOUGH_OF_HOST]}" if at and not _is_short(end) else word
    divided = part.translate(_DIVIDING)
    return f"% {_literally(divided.lstrip())}%" if _is_short(word) else _anywhere(divided)


def _is_short(word: str) -> bool:
    """Say whether a word has no three letters or digits in a row, and thus nothing for the index but a beginning."""
    return not re.search("www", "".join("w" if _is_seen(character) else " " for character in word))


def _anywhere(part: str) -> str:
    return f"%{_literally(part)}%"


def _literally(part: str) -> str:
    return _SPECIAL.sub(r"\\\1", part)


def _is_seen(part: str) -> bool:
    """Say whether pg_trgm sees something in a text."""
    categories = map(unicodedata.category, part)
    return any(category[0] == "L" or category == "Nd" for category in categories)
