"""What callers send: models, the types of their fields, and all that is wrong named at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from ipaddress import ip_address
from typing import Annotated, Any, TypeVar

from attrs import frozen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from flexid.base.text import Text
from flexid.domain.errors import Invalid
from flexid.domain.sip_address import SipAddress
from flexid.domain.sip_address import parse as parse_address

I = TypeVar("I", bound="Input")  # noqa: E741  # the field's usual name for an input


class Input(BaseModel):
    """Base of all input models: fields that it does not know are ignored."""

    # Each is built when it is used first: all at once they would take a twentieth of a second of the start.
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True)

    @classmethod
    def said(cls, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a body that say something: not null, nor empty text."""
        return given(body)


class MergePatch(Input):
    """Base of what is merged into an object (JSON Merge Patch, RFC 7396): null takes a value away.

    Which fields were sent is in `model_fields_set`.
    """

    @classmethod
    def said(cls, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return all fields of a body; empty text is null here too."""
        return {name: None if value == "" else value for name, value in body.items()}


def refuse(reason: Text) -> PydanticCustomError:
    """Return the error of a field's value, with a reason that can be translated."""
    return PydanticCustomError("flexid", "refused", {"reason": reason})


@frozen(eq=False)
class Rule:
    """A check of a readable value, for `Annotated`, with what the description of the API says of it (JSON Schema)."""

    check: Callable[[Any], Any]
    said: Mapping[str, object]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {**handler(schema), **self.said}


def _text(value: object) -> object:
    # Older clients send numbers where text is meant.
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise refuse(Text("It must be text"))
    if "\0" in value:
        raise refuse(Text("It contains characters that are not allowed"))
    return value


def _flag(value: object) -> object:
    # `1 == True` in Python, so the text of the value decides.
    known = {"1": True, "0": False, "True": True, "False": False, "true": True, "false": False}
    if isinstance(value, str | int) and str(value) in known:
        return known[str(value)]
    raise refuse(Text("It must be true or false"))


def _whole_number(value: object) -> object:
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdecimal():
        value = int(value) if len(value) < len(str(1 << 63)) else value
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST:
        raise refuse(Text("It must be a whole number"))
    return value


def longest(length: int) -> Rule:
    """Return a rule: at most so many characters."""

    def check(value: str) -> str:
        if len(value) > length:
            raise refuse(Text("It may not be longer than {length} characters", length=length))
        return value

    return Rule(check, {"maxLength": length})


def between(least: int, most: int) -> Rule:
    """Return a rule: a number in this range, both ends included."""

    def check(value: int) -> int:
        if not least <= value <= most:
            raise refuse(Text("It must be between {least} and {most}", least=least, most=most))
        return value

    return Rule(check, {"minimum": least, "maximum": most})


def one_of(*allowed: str) -> Rule:
    """Return a rule: one of these words."""

    def check(value: str) -> str:
        if value not in allowed:
            raise refuse(Text("It must be one of {allowed}", allowed=", ".join(allowed)))
        return value

    return Rule(check, {"enum": list(allowed)})


def _dictionary(value: object) -> object:
    # An empty list is how PHP writes an empty dictionary.
    if value == []:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise refuse(Text("The dictionary must be an associative dictionary of strings"))
    for item in (*value.keys(), *value.values()):
        _text(item)
        if len(item) > LENGTH_OF_ENTRY:
            raise refuse(Text("It may not be longer than {length} characters", length=LENGTH_OF_ENTRY))
    return value


def _dictionary_patch(value: object) -> object:
    texts = {key: "" if item is None else item for key, item in value.items()} if isinstance(value, dict) else value
    return value if _dictionary(texts) else {}


def _not_null(value: object) -> object:
    if value is None:
        raise refuse(Text("It may not be null"))
    return value


@frozen(eq=False)
class NotNull:
    """For fields of a `MergePatch` that may be left out, but not taken away: `Annotated[… | None, NotNull()]`."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_not_null, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        (said,) = (each for each in handler(schema)["anyOf"] if each != {"type": "null"})
        return dict(said)


def _in_utc(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def _day(value: object) -> object:
    """Read a date, or a time as the API shows it: the moment from which something is over."""
    try:
        if isinstance(value, str) and len(value) == len("2099-01-31"):
            return datetime.combine(date.fromisoformat(value), time.min, UTC)
        if isinstance(value, str):
            return _in_utc(value)
    except (ValueError, OverflowError):
        pass
    raise refuse(Text("It must be a date such as 2099-01-31"))


LENGTH_OF_ENTRY = 255
LENGTH_OF_ADDRESS = 256
LENGTH_OF_TEXT = 65_535
MOST = (1 << 31) - 1
"""The largest whole number, of either sign."""


def _moment(value: object) -> object:
    """Read a time (ISO 8601); one without an offset is in UTC."""
    try:
        if isinstance(value, str):
            return _in_utc(value)
    except (ValueError, OverflowError):
        pass
    raise refuse(Text("It must be a time such as 2026-01-31T09:30:00Z"))


def _sip_address(value: object) -> SipAddress:
    address = parse_address(value) if isinstance(value, str) and len(value) <= LENGTH_OF_ADDRESS else None
    if address is None:
        raise refuse(Text("It must be a SIP address such as alice@sip.example.org"))
    return address


def _ip_address(value: str) -> str:
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise refuse(Text("It must be an IP address such as 192.0.2.1 or 2001:db8::1")) from None


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise refuse(Text("It contains characters that are not allowed"))
    return value


AnyText = Annotated[str, BeforeValidator(_text), longest(LENGTH_OF_TEXT)]
Text255 = Annotated[str, BeforeValidator(_text), longest(255)]
Text64 = Annotated[str, BeforeValidator(_text), longest(64)]
Line64 = Annotated[Text64, AfterValidator(_one_line)]
Line255 = Annotated[Text255, AfterValidator(_one_line)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
SipAddressText = Annotated[
    SipAddress,
    PlainValidator(_sip_address),
    WithJsonSchema({"type": "string", "maxLength": LENGTH_OF_ADDRESS, "examples": ["alice@sip.example.org"]}),
]
IpAddress = Annotated[Text64, AfterValidator(_ip_address)]
Flag = Annotated[bool, BeforeValidator(_flag)]
WholeNumber = Annotated[
    int, BeforeValidator(_whole_number), WithJsonSchema({"type": "integer", "minimum": -MOST, "maximum": MOST})
]
Dictionary = Annotated[
    dict[str, str],
    BeforeValidator(_dictionary),
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"maxLength": LENGTH_OF_ENTRY},
            "additionalProperties": {"type": "string", "maxLength": LENGTH_OF_ENTRY},
        }
    ),
]
DictionaryPatch = Annotated[dict[str, str | None], BeforeValidator(_dictionary_patch)]
"""Entries to set, and with null those to delete."""
Day = Annotated[
    datetime,
    BeforeValidator(_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]


def read(model: type[I], body: Mapping[str, Any]) -> I:
    """Return the input in a body; null and empty text count as not given, but for a `MergePatch`.

    :raise Invalid: with every field that is wrong.
    """
    try:
        return model.model_validate(model.said(body))
    except ValidationError as error:
        faults: dict[str, list[Text]] = {}
        for detail in error.errors(include_url=False, include_input=False):
            faults.setdefault(".".join(str(part) for part in detail["loc"]), []).append(_reason(detail))
        raise Invalid(faults) from None


def given(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {name: value for name, value in body.items() if value is not None and value != ""}


def _reason(detail: ErrorDetails) -> Text:
    context = detail.get("ctx", {})
    if isinstance(reason := context.get("reason"), Text):
        return reason
    field = ".".join(str(part) for part in detail["loc"]).replace("_", " ")
    if detail["type"] == "missing":
        return Text("The {field} field is required.", field=field)
    return Text("The {field} is not valid", field=field)
