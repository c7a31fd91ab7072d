"""The link of a page, for people and as a QR code for cameras."""

import io
import socket

from weighbridge.core.extras import import_extra

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 -- compared, not bound
# Reserved for documentation: nothing is sent, the system only chooses the interface that would be used.
NOBODY = ("192.0.2.1", 9)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def link_of(host: str, port: int, token: str, *, scheme: str) -> str:
    """Return the address of the page; for a server on all interfaces, the one on the local network."""
    shown = local_address() if host in EVERYWHERE else host
    shown = f"[{shown}]" if ":" in shown else shown
    return f"{scheme}://{shown}:{port}/{token}/"


def local_address() -> str:
    """Return the address of this machine on its network, or its name if it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOBODY)
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


def code_as_svg(link: str) -> bytes:
    """Return a QR code as an SVG picture; raise ExtraMissing without segno."""
    picture = io.BytesIO()
    _code(link).save(picture, kind="svg", scale=4, border=4, dark="#000", light="#fff", xmldecl=False)
    return picture.getvalue()


def code_as_text(link: str) -> str:
    """Return a QR code in half blocks for a terminal; raise ExtraMissing without segno."""
    text = io.StringIO()
    _code(link).terminal(text, compact=True)
    return text.getvalue()


def _code(link: str):  # type: ignore[no-untyped-def]  # a class of an optional library
    return import_extra("segno").make(link, error="m", micro=False)
