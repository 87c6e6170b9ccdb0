"""A mail server on 127.0.0.1 that keeps what it gets."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass
class Mailbox:
    """The mails that arrived, who may log in, and what the server refuses."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    password: str | None = None
    refused: tuple[str, ...] = ()


class _Handler(socketserver.StreamRequestHandler):
    box: Mailbox
    context: ssl.SSLContext | None

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        encrypted, accepted = False, 0
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            command, _, rest = line.partition(" ")
            match command.upper():
                case "EHLO":
                    self._say("250-here")
                    if self.context and not encrypted:
                        self._say("250-STARTTLS")
                    self._say("250 AUTH PLAIN")
                case "STARTTLS":
                    self._say("220 go on")
                    self.connection = self.context.wrap_socket(self.connection, server_side=True)
                    self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                    encrypted = True
                case "AUTH":
                    _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
                    ok = password == self.box.password
                    self.box.logins.append(user)
                    self._say("235 welcome" if ok else f"535 wrong password {password}")
                case "RCPT":
                    bad = any(name in rest for name in self.box.refused)
                    accepted += not bad
                    self._say("550 unknown here" if bad else "250 ok")
                case "DATA":
                    self._say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part[1:] if part.startswith(b"..") else part)
                    self.box.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                    self.box.encrypted.append(encrypted)
                    self._say("250 kept")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")


@contextmanager
def mail_server(certificate: Path | None = None) -> Iterator[Mailbox]:
    """A server; with a certificate (and its key in the same file) it offers STARTTLS."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    box = Mailbox()
    handler = type("Handler", (_Handler,), {"box": box, "context": context})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    box.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
