"""Settings of what sends mails and SMS."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from flexid.base import smtp_address
from flexid.base.setting_types import OptionalPath, Section, WebAddress


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


class SmsSettings(Section):
    """SMS, see docs/mail-and-sms.md. The texts are fixed: operators have to approve them beforehand."""

    provider: Literal["", "ovh", "http"] = Field(
        "", description="ovh, http (any other), or empty: SMS are written to `data_dir`/sms"
    )
    sender: Annotated[str, Field(max_length=16, pattern="^[ -~]*$")] = Field(
        "", description="from whom they come, as the provider has approved it; OVH without one takes a short number"
    )
    timeout: Annotated[int, Field(ge=2, le=60)] = Field(15, description="seconds that the provider has for one SMS")
    ovh_url: WebAddress = Field("https://eu.api.ovh.com/1.0", description="OVH's API, of the region of the account")
    ovh_service: str = Field("", description="the name of the SMS service, such as sms-ab12345-1")
    ovh_application_key: str = Field("", description="the key of the application that OVH knows us as")
    ovh_application_secret: str = Field("", description="its secret")
    ovh_consumer_key: str = Field("", description="what allows it to send: it needs POST /sms/*/jobs and no more")
    http_url: Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$")] = Field(
        "",
        description="of another provider; {to}, {text}, {sender}, {reference} and {secret} stand for what is meant",
    )
    http_method: Literal["GET", "POST", "PUT"] = Field("POST", description="GET, POST or PUT")
    http_body: str = Field(
        '{"to": "{to}", "text": "{text}", "from": "{sender}"}', description="what is sent, with the same words"
    )
    http_content_type: str = Field("application/json", description="application/json, or x-www-form-urlencoded")
    http_header: Annotated[str, Field(pattern=r"^([A-Za-z0-9-]+: ?[ -~]+)?$")] = Field(
        "", description="one more header, such as `Authorization: Bearer {secret}`"
    )
    http_secret: str = Field("", description="what {secret} stands for; it is shown nowhere")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.provider == "http" and not self.http_url:
            raise ValueError("sms.provider = http needs sms.http_url")
        named = (self.ovh_service, self.ovh_application_key, self.ovh_application_secret, self.ovh_consumer_key)
        if self.provider == "ovh" and not all(named):
            raise ValueError(
                "sms.provider = ovh needs sms.ovh_service, _application_key, _application_secret and _consumer_key"
            )
        return self
