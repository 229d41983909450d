"""The body of a request: JSON or a form, with files or without, as its `Content-Type` says."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

import orjson
from attrs import field, frozen
from multipart import MultipartError, MultipartParser, parse_options_header

from flexid.base.text import Text
from flexid.domain.errors import Malformed

MAX_FORM_FIELDS = 1000
MULTIPART = "multipart/form-data"
FORM = "application/x-www-form-urlencoded"
_NESTED = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")


@frozen
class Upload:
    """A file in a form; its name and type are what the client says, and may be anything."""

    name: str
    content: bytes = field(repr=False)


@frozen
class LargeFile:
    """A file without a name, to be closed."""

    file: BinaryIO
    size: int


def read(content: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a body; what is neither JSON nor a form, or no object, has none.

    :raise Malformed: it is declared JSON or a form and is none.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json(content)
    if kind == FORM:
        return _form(content)
    if kind == MULTIPART:
        return _multipart(content, content_type)
    return {}


def read_on_disk(content: BinaryIO, content_type: str) -> dict[str, Any]:
    """Return the fields of a form with large files, which stay on disk; it waits for the disk, and is for threads.

    :raise Malformed: it is no form.
    """
    content.seek(0)
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    fields: dict[str, Any] = {}
    parts = []
    try:
        for part in MultipartParser(content, boundary, part_limit=MAX_FORM_FIELDS):
            parts.append(part)
            fields |= _fields([(part.name, _stored(part) if part.filename is not None else part.value)])
    except (MultipartError, ValueError) as error:
        close(fields)
        raise Malformed(Text("Invalid form: {why}", why=str(error))) from None
    finally:
        for part in parts:
            part.close()
    return fields


def close(fields: Mapping[str, Any]) -> None:
    """Close the large files of a form; those that are closed already do not mind."""
    for value in fields.values():
        if isinstance(value, LargeFile):
            value.file.close()


def on_disk(content: BinaryIO) -> LargeFile:
    """Return a file that another process can read; it waits for the disk, and is for threads."""
    file = TemporaryFile()  # noqa: SIM115  # its user closes it
    content.seek(0)
    copyfileobj(content, file)
    file.flush()
    return LargeFile(file, file.tell())


def _stored(part: Any) -> LargeFile | None:
    return on_disk(part.file) if part.filename else None


def _json(content: bytes) -> dict[str, Any]:
    if not content.strip():
        return {}
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Malformed(Text("Invalid JSON: {why}", why=str(error))) from None
    return value if isinstance(value, dict) else {}


def _form(content: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(content.decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS, errors="strict")
    except ValueError as error:
        raise Malformed(Text("Invalid form: {why}", why=str(error))) from None
    return _fields(pairs)


def _multipart(content: bytes, content_type: str) -> dict[str, Any]:
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    try:
        # The body is in memory already and bounded: no part is bounded again.
        size = len(content)
        parser = MultipartParser(
            io.BytesIO(content), boundary, part_limit=MAX_FORM_FIELDS, spool_limit=size, memory_limit=size
        )
        return _fields((part.name, _file(part) if part.filename is not None else part.value) for part in parser)
    except (MultipartError, ValueError) as error:
        raise Malformed(Text("Invalid form: {why}", why=str(error))) from None


def _file(part: Any) -> Upload | None:
    # A browser sends a file without a name where none was chosen.
    return Upload(part.filename, part.raw) if part.filename else None


def _fields(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if nested := _NESTED.fullmatch(name):
            inner = fields.setdefault(nested[1], {})
            if isinstance(inner, dict):
                inner[nested[2]] = value
        else:
            fields[name] = value
    return fields
