"""Print the HTML of a packet as PDF with WeasyPrint, in a child process that can be killed and has no network access.

The parent passes HTML and assets over stdin and reads the PDF from stdout. The child limits its own memory and time
before it imports WeasyPrint, inherits no environment variables (no secrets), and resolves `asset:` names only from the
passed assets. Any other address and any missing asset fails the print, so that a packet is never incomplete. The child
also keeps the memory use of WeasyPrint out of long-lived workers.
"""

import base64
import json
import logging
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf_tags import finished

MEMORY_MAX_BYTES = 2 * 1024**3
CPU_MAX_S = 90
FILE_MAX_BYTES = 64 * 1024**2
WALL_MAX_S = 120.0
HTML_MAX_CHARS = 8_000_000

PROJECT = Path(__file__).resolve().parents[3]
CHILD_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": "0"}
VARIANT = "pdf/ua-1"
SHORT_PX = 330.0
"""The end of the text of a page that is nearly empty, below the top of the page: about ten lines with their spacing."""
# Margins are important, because the style sheets of the document would win over them.
_SPACING = (
    "@page {{ margin-top: {}mm !important; margin-bottom: {}mm !important }} "
    "html {{ --cell: {}mm; --gap: {}mm; --line: {} }}"
)
SPACINGS = (
    "",
    _SPACING.format(21, 16, 1.1, 7, 1.36),
    _SPACING.format(19, 14, 0.7, 5, 1.3),
    _SPACING.format(24, 20, 2, 13, 1.6),
    _SPACING.format(24, 20, 2.6, 16, 1.8),
)
"""The spacing of a document as it is designed, closer twice, wider twice; packet.css has the properties."""
_REFUSED_EXIT = 3
# Printed by Python for an error when no memory is left to print it.
_OUT_OF_MEMORY = "<object repr() failed>"
_MEDIA_TYPES = {".svg": "image/svg+xml", ".css": "text/css", ".png": "image/png", ".woff2": "font/woff2"}
_SIGNALS = {
    signal.SIGXCPU: "it exceeded its processor time",
    signal.SIGXFSZ: "it exceeded the file size limit",
    signal.SIGKILL: "the system killed it, most likely because of its memory or time",
    signal.SIGABRT: "it ran out of memory",
    signal.SIGTRAP: "it ran out of memory",  # raised by GLib (used by Pango)
    signal.SIGSEGV: "it crashed in a system library, which can happen when memory runs out",
}


@dataclass(frozen=True, kw_only=True)
class WeasyPrintPrinter:
    """A `PacketPrinter`. Limits are per print: wall clock and processor in seconds, address space in bytes."""

    wall_max_s: float = WALL_MAX_S
    cpu_max_s: int = CPU_MAX_S
    memory_max_bytes: int = MEMORY_MAX_BYTES

    def print(self, html: str, *, assets: Mapping[str, bytes]) -> bytes:
        """Print `html`. The same input gives the same bytes on one host. Raises PrintFailed."""
        if len(html) > HTML_MAX_CHARS:
            raise PrintFailed(
                f"The packet has {len(html):,} characters of HTML; the maximum is {HTML_MAX_CHARS:,}. "
                "Shorten its longest texts, or use the JSON document."
            )
        job = {
            "html": html,
            "assets": encoded(assets),
            "cpu_max_s": self.cpu_max_s,
            "memory_max_bytes": self.memory_max_bytes,
        }
        return _pdf_of(self._run(json.dumps(job).encode()))

    def _run(self, job: bytes) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [sys.executable, "-m", "reviews.packets.printing.pdf"],
                input=job,
                capture_output=True,
                timeout=self.wall_max_s,
                cwd=PROJECT,
                env=CHILD_ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PrintFailed(
                f"Printing took longer than {self.wall_max_s:g} s and was stopped. Try again when the machine is less "
                "busy; if it fails again, shorten the packet's longest texts."
            ) from None
        except OSError as error:
            raise PrintFailed(f"The printer could not be started: {error.strerror or error}.") from error


def _pdf_of(done: subprocess.CompletedProcess[bytes]) -> bytes:
    last_line = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    if done.returncode == _REFUSED_EXIT:
        raise PrintFailed(last_line)
    if done.returncode < 0:
        why = _SIGNALS.get(signal.Signals(-done.returncode), f"it received signal {-done.returncode}")
        raise PrintFailed(f"The printer was stopped: {why}. Shorten the packet's longest texts, then try again.")
    if done.returncode != 0 and _OUT_OF_MEMORY in last_line:
        raise PrintFailed("The printer ran out of memory. Shorten the packet's longest texts, then try again.")
    if done.returncode != 0:
        raise PrintFailed(f"The printer failed: {last_line or f'exit status {done.returncode}'}.")
    if not done.stdout.startswith(b"%PDF-"):
        raise PrintFailed("The output of the printer is not a PDF; see the log of the worker.")
    return done.stdout


def render(html: str, *, assets: Mapping[str, bytes], fonts: Any = None) -> bytes:
    """Render in the child, with assets only; PrintFailed for any other address. Documents can share their `fonts`.

    If the last page would be nearly empty, the document is laid out again, closer or wider.
    """
    import weasyprint
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    refused: list[str] = []

    # WeasyPrint has no types, so its class is Any to the type checker.
    class OnlyAssets(URLFetcher):  # type: ignore[misc]  # see above
        """Resolves assets only: no network, no disk, no `data:` URLs."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            name = url.removeprefix("asset:")
            if name == url or name not in assets:
                refused.append(url[:200])
                raise ValueError("refused")
            media_type = _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
            return URLFetcherResponse(url, assets[name], {"Content-Type": media_type})

    source = weasyprint.HTML(string=html, base_url="asset:", url_fetcher=OnlyAssets())
    layouts = (
        source.render(font_config=fonts, pdf_variant=VARIANT, stylesheets=[weasyprint.CSS(string=rules)])
        for rules in SPACINGS
    )
    document = next(layouts)
    if _ends_short(document):
        document = next((layout for layout in layouts if not _ends_short(layout)), document)
    pdf: bytes = document.write_pdf(pdf_variant=VARIANT)
    if refused:
        raise PrintFailed(
            f"The packet refers to {refused[0]}, which is not one of its assets; nothing else is fetched."
        )
    return pdf


def _ends_short(document: Any) -> bool:
    """Whether the element "end" is near the top of a page that is not the first."""
    ends = [page.anchors["end"][1] for page in document.pages[1:] if "end" in page.anchors]
    return bool(ends) and ends[0] < SHORT_PX


def limit(*, cpu_max_s: int, memory_max_bytes: int, file_max_bytes: int = FILE_MAX_BYTES) -> None:
    """Limit the resources of this process. Called in the child before it renders."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_max_s, cpu_max_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_max_bytes, file_max_bytes))
    resource.setrlimit(resource.RLIMIT_AS, (memory_max_bytes, memory_max_bytes))


def encoded(assets: Mapping[str, bytes]) -> dict[str, str]:
    """Assets as texts of a job for the child."""
    return {name: base64.b64encode(body).decode() for name, body in assets.items()}


def decoded(assets: Mapping[str, str]) -> dict[str, bytes]:
    """The assets of a job in the child."""
    return {name: base64.b64decode(body) for name, body in assets.items()}


def _refused(reason: str) -> int:
    # Start a new line: an interpreter that ran out of memory may have started one.
    sys.stderr.write("\n" + " ".join(reason.split()) + "\n")
    return _REFUSED_EXIT


def main() -> int:
    """The child process: reads one job from stdin; writes one PDF to stdout, or a reason as the last line of stderr."""
    logging.getLogger("weasyprint").addHandler(logging.NullHandler())
    job = json.load(sys.stdin)
    limit(cpu_max_s=job["cpu_max_s"], memory_max_bytes=job["memory_max_bytes"])
    try:
        pdf = finished(render(job["html"], assets=decoded(job["assets"])))
    except PrintFailed as failed:
        return _refused(failed.reason)
    except MemoryError:
        return _refused("The packet needs more memory than the printer is allowed; shorten its longest texts.")
    except (OSError, RuntimeError) as error:
        return _refused(f"WeasyPrint does not work on this machine: {error}")
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
