"""Voicemails: a slot is opened for each, and filled by one upload."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from attrs import frozen

from flexid.base.text import Text

WAV, OPUS = "audio/wav", "audio/opus"
CONTENT_TYPES = (OPUS, WAV)
SUFFIXES = {WAV: (".wav",), OPUS: (".opus", ".ogg", ".oga")}
"""What names of files end in, the usual one first."""
HEAD_LENGTH = 512
"""So many first bytes tell of which type a file is."""
LONGEST_NAME = 100

NO_EMAIL = Text("The account has no email address to tell of voicemails")
NO_FILE = Text("The {field} field is required.", field="file")
OTHER_CONTENT = Text("The content of the file is not of the announced type")

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_UNFIT = re.compile(r"[^\w.() +@=,-]")


@frozen
class Voicemail:
    """A slot, and once it is filled a file; `size` in bytes."""

    id: str
    sip_from: str | None
    content_type: str
    name: str | None
    size: int | None
    created_at: datetime
    uploaded_at: datetime | None

    @property
    def path(self) -> str | None:
        """Return where it is fetched, by whoever knows; None while the slot is open."""
        return None if self.name is None else f"/f/{self.id}/{quote(self.name, safe='')}"


def read_id(text: str) -> str | None:
    """Return the id of a voicemail as we write it; None for what is none."""
    return text.lower() if _ID.fullmatch(text) else None


def is_of(content_type: str, head: bytes) -> bool:
    """Tell by its first bytes whether a file is of a type.

    A WAVE file is a RIFF file of the form type WAVE (Microsoft and IBM, Multimedia Programming Interface 1.0). Opus
    comes in Ogg: a first page (RFC 3533, 6) whose packet begins with `OpusHead` (RFC 7845, 5.1).
    """
    if content_type == WAV:
        return head[:4] == b"RIFF" and head[8:12] == b"WAVE"
    page, version, flags, segments = head[:4], head[4:5], head[5:6], head[26:27]
    if page != b"OggS" or version != b"\0" or not segments or not flags[0] & 2:
        return False
    packet = 27 + segments[0]
    return head[packet : packet + 8] == b"OpusHead"


def file_name(given: str, content_type: str) -> str:
    """Return what a file is called: the last part of the path that was given, in letters that fit anywhere.

    It ends as its content does: what a browser has saved is opened by this name.
    """
    name = _UNFIT.sub("_", re.split(r"[/\\]", given)[-1])
    suffixes = SUFFIXES[content_type]
    known = next((suffix for suffix in suffixes if name.lower().endswith(suffix)), "")
    stem = name[: len(name) - len(known)].strip(" .")[:LONGEST_NAME]
    return f"{stem or 'voicemail'}{name[len(name) - len(known) :] if known else suffixes[0]}"
