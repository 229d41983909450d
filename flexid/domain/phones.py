"""Phone numbers, by libphonenumber."""

from __future__ import annotations

from attrs import frozen


@frozen
class PhoneCountry:
    """A country whose numbers may be used once it is activated."""

    code: str
    country_code: str
    activated: bool


def country_of(phone: str) -> str | None:
    """Return the calling code of a valid number in E.164 form, and None for anything else."""
    # The metadata of libphonenumber is large: only processes that meet a number load it.
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != phone:
        return None
    return str(number.country_code)


def grouped(phone: str) -> str:
    """Return a number as its country writes it for the world: `+33 6 12 34 56 78`; anything else as it is."""
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return phone
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def all_countries() -> tuple[PhoneCountry, ...]:
    """Return every country that libphonenumber knows, none activated."""
    import phonenumbers  # noqa: PLC0415

    return tuple(
        PhoneCountry(code, str(phonenumbers.country_code_for_region(code)), activated=False)
        for code in sorted(phonenumbers.SUPPORTED_REGIONS)
    )
