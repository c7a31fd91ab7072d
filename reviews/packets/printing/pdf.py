"""Prints a packet's HTML as PDF with WeasyPrint, in a child process that can be killed and can fetch nothing.

The parent hands HTML and assets over stdin and takes the PDF from stdout. The child limits its own memory and time
before it imports WeasyPrint, inherits none of our environment (no secrets), and serves `asset:` names from what it was
handed: any other address, and any missing asset, fails the print rather than leave a hole in the packet. A long-lived
worker never holds WeasyPrint's memory.
"""

import base64
import json
import logging
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reviews.packets.ports import PrintFailed

MEMORY_MAX_BYTES = 2 * 1024**3
CPU_MAX_S = 90
FILE_MAX_BYTES = 64 * 1024**2
WALL_MAX_S = 120.0
HTML_MAX_CHARS = 8_000_000

PROJECT = Path(__file__).resolve().parents[3]
CHILD_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0"}
_REFUSED_EXIT = 3
# What Python prints of an error where it has no memory left to say which.
_SPEECHLESS = "<object repr() failed>"
_MEDIA_TYPES = {".svg": "image/svg+xml", ".css": "text/css", ".png": "image/png", ".woff2": "font/woff2"}
_SIGNALS = {
    signal.SIGXCPU: "it used more processor time than it may have",
    signal.SIGXFSZ: "it wrote more than it may",
    signal.SIGKILL: "the system killed it, most likely for its memory or time",
    signal.SIGABRT: "it ran out of memory",
    signal.SIGTRAP: "it ran out of memory",  # how GLib, under Pango, gives up
    signal.SIGSEGV: "it crashed in a system library, as happens when memory runs out",
}


class WeasyPrintPrinter:
    """A `PacketPrinter`. Limits are per print: wall clock and processor in seconds, address space in bytes."""

    def __init__(
        self,
        *,
        wall_max_s: float = WALL_MAX_S,
        cpu_max_s: int = CPU_MAX_S,
        memory_max_bytes: int = MEMORY_MAX_BYTES,
    ) -> None:
        self.wall_max_s = wall_max_s
        self.cpu_max_s = cpu_max_s
        self.memory_max_bytes = memory_max_bytes

    def print(self, html: str, *, assets: Mapping[str, bytes]) -> bytes:
        """Print `html`; the same input gives the same bytes on one host. Raises PrintFailed with a reason to act on."""
        if len(html) > HTML_MAX_CHARS:
            raise PrintFailed(
                f"The packet has {len(html):,} characters of HTML and the printer takes {HTML_MAX_CHARS:,}; "
                "shorten its longest texts, or use the JSON twin."
            )
        order = {
            "html": html,
            "assets": {name: base64.b64encode(body).decode() for name, body in assets.items()},
            "cpu_max_s": self.cpu_max_s,
            "memory_max_bytes": self.memory_max_bytes,
        }
        return _pdf_of(self._run(json.dumps(order).encode()))

    def _run(self, order: bytes) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [sys.executable, "-m", "reviews.packets.printing.pdf"],
                input=order,
                capture_output=True,
                timeout=self.wall_max_s,
                cwd=PROJECT,
                env=CHILD_ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PrintFailed(
                f"Printing took longer than {self.wall_max_s:g} s and was stopped. Try again when the machine is less "
                "busy; if it happens twice, shorten the packet's longest texts."
            ) from None
        except OSError as error:
            raise PrintFailed(f"The printer could not be started: {error.strerror or error}.") from error


def _pdf_of(done: subprocess.CompletedProcess[bytes]) -> bytes:
    last_words = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if done.returncode == _REFUSED_EXIT:
        raise PrintFailed(last_words)
    if done.returncode < 0:
        why = _SIGNALS.get(signal.Signals(-done.returncode), f"signal {-done.returncode} ended it")
        raise PrintFailed(f"The printer was stopped: {why}. Shorten the packet's longest texts, then try again.")
    if done.returncode != 0 and _SPEECHLESS in last_words:
        raise PrintFailed("The printer ran out of memory. Shorten the packet's longest texts, then try again.")
    if done.returncode != 0:
        raise PrintFailed(f"The printer failed: {last_words or f'exit status {done.returncode}'}.")
    if not done.stdout.startswith(b"%PDF-"):
        raise PrintFailed("The printer answered with something that is not a PDF; see the worker's log.")
    return done.stdout


def render(html: str, *, assets: Mapping[str, bytes], variant: str | None = "pdf/ua-1", fonts: Any = None) -> bytes:
    """Lay out in this process, serving assets only. Runs in the child; raises PrintFailed for any other address.

    `fonts` is a font configuration of WeasyPrint that several documents share.
    """
    import weasyprint
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    refused: list[str] = []

    # WeasyPrint has no types, so its class is Any to the type checker.
    class OnlyAssets(URLFetcher):  # type: ignore[misc]
        """Opens nothing: not the network, not the disk, not even `data:`."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            name = url.removeprefix("asset:")
            if name == url or name not in assets:
                refused.append(url[:200])
                raise ValueError("refused")
            media_type = _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
            return URLFetcherResponse(url, assets[name], {"Content-Type": media_type})

    document = weasyprint.HTML(string=html, base_url="asset:", url_fetcher=OnlyAssets())
    pdf: bytes = document.write_pdf(pdf_variant=variant, font_config=fonts)
    if refused:
        raise PrintFailed(
            f"The packet names {refused[0]}, which is not among its assets; nothing else is ever fetched."
        )
    return pdf


def limit(*, cpu_max_s: int, memory_max_bytes: int) -> None:
    """Bound what this process may use; called in a child before it lays anything out."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_max_s, cpu_max_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX_BYTES, FILE_MAX_BYTES))
    resource.setrlimit(resource.RLIMIT_AS, (memory_max_bytes, memory_max_bytes))


def _refused(reason: str) -> int:
    # A line of its own: an interpreter short of memory may have begun one.
    sys.stderr.write("\n" + " ".join(reason.split()) + "\n")
    return _REFUSED_EXIT


def main() -> int:
    """The child: one order on stdin, one PDF on stdout, or a reason as the last line on stderr."""
    logging.getLogger("weasyprint").addHandler(logging.NullHandler())
    order = json.load(sys.stdin)
    limit(cpu_max_s=order["cpu_max_s"], memory_max_bytes=order["memory_max_bytes"])
    assets = {name: base64.b64decode(body) for name, body in order["assets"].items()}
    try:
        pdf = render(order["html"], assets=assets)
    except PrintFailed as failed:
        return _refused(failed.reason)
    except MemoryError:
        return _refused("The packet needs more memory than the printer may use; shorten its longest texts.")
    except (OSError, RuntimeError) as error:
        return _refused(f"WeasyPrint cannot work here: {error}")
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
