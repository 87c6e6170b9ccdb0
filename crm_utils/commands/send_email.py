"""Send an e-mail with attached pages."""

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from crm_utils.commands.delivery_targets import environment_variable
from crm_utils.config.delivery import Email
from crm_utils.core.errors import DeliveryError
from crm_utils.core.formatting import join_names

SECONDS = 30  # to wait for the server


def send_email(email: Email, subject: str, text: str, pages: Mapping[str, bytes]) -> None:
    """Send a text with pages attached.

    Parameters
    ----------
    email : Email
        The server, sender and recipients.
    subject, text : str
        The subject on one line, and the text.
    pages : mapping of str to bytes
        HTML pages by the name of their file.

    Raises
    ------
    DeliveryError
        If the server cannot be reached or refuses the e-mail or one of the recipients.
    """
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, email.sender, ", ".join(email.recipients)
    message["Date"], message["Message-ID"] = (
        formatdate(localtime=True),
        make_msgid(domain=email.sender.partition("@")[2]),
    )
    message.set_content(text)
    for name, page in pages.items():
        message.add_attachment(page, maintype="text", subtype="html", filename=name)
    password = environment_variable(email.password[2:-1]) if email.password else None
    try:
        with _connect(email) as server:
            if email.user and password:
                server.login(email.user, password)
            refused = server.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        raise DeliveryError(
            f"no e-mail was sent by {email.host}:{email.used_port}: {_reason(error, password)}"
        ) from None
    if refused:
        raise DeliveryError(f"{email.host} refused the recipients {join_names(sorted(refused))}; the others got it")


def _connect(email: Email) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if email.security == "ssl":
        return smtplib.SMTP_SSL(email.host, email.used_port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(email.host, email.used_port, timeout=SECONDS)
    if email.security == "starttls":
        server.starttls(context=context)
    return server


def _reason(error: Exception, password: str | None) -> str:
    """Return a server's answer in one line, without the password."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = {answer.decode(errors="replace") for _, answer in error.recipients.values()}
        return f"it refuses every recipient ({'; '.join(sorted(answers))})"
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error if isinstance(error.smtp_error, str) else error.smtp_error.decode(errors="replace")
        text = f"{error.smtp_code} {answer}"
    else:
        text = str(error) or type(error).__name__
    text = " ".join(text.split())
    return text.replace(password, "***") if password else text
