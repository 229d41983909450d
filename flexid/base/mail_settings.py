"""Settings of what sends mails and SMS."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from flexid.base import smtp_address
from flexid.base.setting_types import OptionalPath, Section


class Mail(Section):
    """Mails, see docs/mail-and-sms.md."""

    url: str = Field("", description=f"{smtp_address.FORMS}; empty = mails are written to `data_dir`/mail")
    ca: OptionalPath = Field(
        None, description="PEM file with the authorities of mail servers; empty = those of the operating system"
    )
    from_address: Annotated[str, Field(pattern=r"^([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)?$")] = Field(
        "", description="from whom mails come; empty = no-reply at the Space's domain"
    )
    timeout: Annotated[int, Field(ge=5, le=600)] = Field(
        60, description="seconds that the delivery of one mail may take; then it is tried again later"
    )
    connections: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="mails on their way to the server at once; a Space's own server gets at most 4"
    )
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = Field(
        "en", description="of mails that nobody's request has caused, such as those of Spaces that expire: en or fr"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        # What is said of a whole section does not repeat its values: the URL holds a password.
        if self.url:
            try:
                smtp_address.read(self.url)
            except ValueError as error:
                raise ValueError(f"mail.url: {error}") from None
        return self
