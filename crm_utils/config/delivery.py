"""Model of `delivery`: where a report is copied to, and who is told by e-mail."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from crm_utils.config.yaml_models import Model
from crm_utils.core.formatting import mask_secrets

PLACEHOLDER = r"\$\{(\w+)\}"
SCHEMES = ("", "file", "s3", "sftp")
LOCAL = ("localhost", "127.0.0.1", "::1")
PORTS = {"starttls": 587, "ssl": 465, "none": 25}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# A text stands for a list of one
OneOrMore = Annotated[list[str], BeforeValidator(_as_list, json_schema_input_type=str | list[str])]


class Email(Model):
    """A mail server, and who gets the summary of a new report with its first page."""

    host: str = Field(min_length=1, description="the mail server")
    port: int | None = Field(None, ge=1, le=65535, strict=True, description="587, 465 with ssl, 25 with none")
    security: Literal["starttls", "ssl", "none"] = "starttls"
    user: str | None = None
    password: str | None = Field(None, description="the name of an environment variable: ${SMTP_PASSWORD}")
    sender: str = Field(pattern=r"^[^\s@]+@[^\s@]+$", description="the address the e-mail comes from")
    recipients: OneOrMore = Field(min_length=1)

    @field_validator("password")
    @classmethod
    def _name_a_variable(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(PLACEHOLDER, value):
            raise ValueError("write the password as ${NAME}, and set NAME in the environment")
        return value

    @field_validator("recipients")
    @classmethod
    def _are_addresses(cls, values: list[str]) -> list[str]:
        for value in values:
            if not re.fullmatch(r"[^\s@,]+@[^\s@,]+", value):
                raise ValueError(f"{value!r} is not an e-mail address")
        return values

    @model_validator(mode="after")
    def _hide_the_password(self) -> "Email":
        if (self.user is None) != (self.password is None):
            raise ValueError("set both user and password, or none of them")
        if self.password and self.security == "none" and self.host not in LOCAL:
            raise ValueError("security: none would send the password unencrypted; use starttls or ssl")
        return self

    @property
    def used_port(self) -> int:
        """The port, or the usual one."""
        return self.port or PORTS[self.security]


class Delivery(Model):
    """Where `make deliver` copies the newest date of a report, and who is told by e-mail."""

    to: OneOrMore = Field(
        [], description="folders: /mnt/share/crm, s3://bucket/crm or sftp://user:${SFTP_PASSWORD}@host/var/www/crm"
    )
    s3_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^/]+$",
        description="the address of S3-compatible storage: https://storage.example.org",
    )
    customer_files: list[str] = Field(
        [], description="files with customer ids that are copied too, or patterns of them: 04_cltv.html, send/*.csv"
    )
    email: Email | None = None

    @field_validator("to")
    @classmethod
    def _are_known_places(cls, values: list[str]) -> list[str]:
        for value in values:
            scheme = urlsplit(value).scheme
            if scheme not in SCHEMES:
                raise ValueError(f"{scheme}:// is not supported; use a folder, s3:// or sftp://")
            without_placeholders = re.sub(PLACEHOLDER, "", value)
            if mask_secrets(without_placeholders) != without_placeholders:
                raise ValueError("write the password as ${NAME}, and set NAME in the environment")
            if scheme in ("s3", "sftp") and not urlsplit(value).netloc:
                raise ValueError(f"{value!r} names no {'bucket' if scheme == 's3' else 'host'}")
        return values

    @field_validator("customer_files")
    @classmethod
    def _stay_in_the_report(cls, values: list[str]) -> list[str]:
        for value in values:
            if PurePosixPath(value).is_absolute() or ".." in PurePosixPath(value).parts:
                raise ValueError(f"{value!r} is not in the folder of the report")
        return values

    @model_validator(mode="after")
    def _say_something(self) -> "Delivery":
        if not self.to and self.email is None:
            raise ValueError("set to, email or both")
        return self
