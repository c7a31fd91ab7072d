"""A mail server on this machine: it speaks as much of SMTP (RFC 5321) as `smtplib` needs, and keeps what it takes."""

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every message, but for recipients in `refused`, who get their code; it can be busy or full."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.messages: list[EmailMessage] = []
        self.refused: dict[str, int] = {}
        self.is_busy = self.is_full = False

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("421 busy" if self.server.is_busy else "220 stand-in")
        while not self.server.is_busy and (line := self.rfile.readline().decode().strip()):
            verb = line.partition(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "DATA" and self.server.is_full:
                self._say("552 too much")
            elif verb == "DATA":
                self._say("354 go on")
                self._take()
            elif verb == "RCPT" and (codes := [self.server.refused[one] for one in self.server.refused if one in line]):
                self._say(f"{codes[0]} not now or never")
            else:
                self._say("250 fine")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(message, EmailMessage)
        self.server.messages.append(message)
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """The server, for the time of the block."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
