"""The printer: same bytes for the same input, limits that hold, and not one byte from anywhere but its assets."""

import base64
import io
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
import weasyprint  # noqa: TID253 -- the control print needs it
from pypdf import PdfReader

from reviews.packets.ports import PacketPrinter, PrintFailed
from reviews.packets.printing import pdf
from reviews.packets.printing.pdf import WeasyPrintPrinter

pytestmark = pytest.mark.slow

PAGE = '<!doctype html><html lang="en"><title>T</title><link rel="stylesheet" href="asset:a.css"><h1>Hello</h1>'
DOT = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='5' height='5'/></svg>"
CANARY = "canary-4711"


def test_the_same_input_gives_the_same_bytes() -> None:
    printer: PacketPrinter = WeasyPrintPrinter()
    assets = {"a.css": b"h1 { color: red }", "dot.svg": DOT, "odd.bin": b""}
    first = printer.print(PAGE + '<img alt="dot" src="asset:dot.svg">', assets=assets)
    assert first == printer.print(PAGE + '<img alt="dot" src="asset:dot.svg">', assets=assets)
    reader = PdfReader(BytesIO(first))
    assert [page.extract_text().strip() for page in reader.pages] == ["Hello"]


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.0"

        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(CANARY.encode())

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    yield f"http://127.0.0.1:{server.server_port}", secret, hits
    server.shutdown()
    thread.join()
    server.server_close()


PAYLOADS = [
    '<img src="URL/img">',
    '<link rel="stylesheet" href="URL/css">',
    "<style>@import url(URL/import);</style>",
    "<style>@font-face { font-family: x; src: url(URL/font) } body { font-family: x }</style><p>x",
    "<style>body { background: url(URL/background) }</style>",
    "<style>p::before { content: url(URL/content) }</style><p>x",
    "<style>li { list-style-image: url(URL/list) }</style><li>x",
    '<link rel="attachment" href="URL/attachment"><p>x',
    '<a rel="attachment" href="URL/link">x</a>',
    '<object data="URL/object"></object>',
    '<embed src="URL/embed">',
    '<base href="URL/"><img src="relative">',
    '<svg width="9" height="9"><image href="URL/svg" width="9" height="9"/></svg>',
    '<img src="asset:evil.svg">',
]


def _aimed(payload: str, place: str) -> str:
    """The payload aimed at a site (each at a path of its own) or at a file."""
    return payload.replace("URL", place) if place.startswith("http") else re.sub(r"URL/\w*", place, payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_is_fetched_from_network_or_disk(payload: str, canary: tuple[str, Path, list[str]]) -> None:
    url, secret, hits = canary
    for place in (url, secret.as_uri()):
        evil = _aimed(
            '<svg xmlns="http://www.w3.org/2000/svg"><image href="URL/in" width="9" height="9"/></svg>', place
        )
        with pytest.raises(PrintFailed, match="nothing else is fetched"):
            pdf.render(_aimed(payload, place), assets={"evil.svg": evil.encode()})
    assert hits == []


def test_what_the_layout_ignores_is_not_fetched_either(canary: tuple[str, Path, list[str]]) -> None:
    url, secret, hits = canary
    for place in (url, secret.as_uri()):
        drawn = pdf.render(
            f'<iframe src="{place}"></iframe><script src="{place}"></script><video src="{place}"></video>'
            f'<svg width="9" height="9"><use href="{place}#a"/></svg><p>x',
            assets={},
        )
        assert CANARY not in PdfReader(BytesIO(drawn)).pages[0].extract_text()
        assert CANARY.encode() not in drawn
    assert hits == []


def test_the_canary_sings_for_a_printer_without_our_fetcher(canary: tuple[str, Path, list[str]]) -> None:
    url, _, hits = canary
    weasyprint.HTML(string=f'<img src="{url}/control">').write_pdf()
    assert hits == ["/control"]


@pytest.mark.parametrize("address", ["data:image/gif;base64,R0lGODlhAQABAAAAACw=", "asset:missing.svg", "/etc/passwd"])
def test_other_addresses_and_missing_assets_fail_the_print(address: str) -> None:
    with pytest.raises(PrintFailed) as failed:
        pdf.render(f'<img src="{address}">', assets={})
    assert failed.value.reason.startswith("The packet refers to ")


def test_a_refusal_in_the_child_reaches_the_caller_in_words(canary: tuple[str, Path, list[str]]) -> None:
    url, _, hits = canary
    with pytest.raises(PrintFailed) as failed:
        WeasyPrintPrinter().print(f'<img src="{url}/x">', assets={})
    assert failed.value.reason == (
        f"The packet refers to {url}/x, which is not one of its assets; nothing else is fetched."
    )
    assert hits == []


LONG = "<table>" + "<tr><td>aaa<td>bb</tr>" * 4000


def test_a_slow_print_is_killed() -> None:
    with pytest.raises(PrintFailed, match=r"Printing took longer than 0\.3 s and was stopped"):
        WeasyPrintPrinter(wall_max_s=0.3).print(LONG, assets={})


def test_a_print_has_only_so_much_processor_time() -> None:
    with pytest.raises(PrintFailed, match="it exceeded its processor time"):
        WeasyPrintPrinter(cpu_max_s=1).print(LONG, assets={})


def test_a_print_has_only_so_much_memory() -> None:
    # Python, GLib or the loader may be first to miss it; each ends differently, and each is told.
    with pytest.raises(PrintFailed, match=r"(?i)memory|map segment"):
        WeasyPrintPrinter(memory_max_bytes=160 * 1024**2).print(LONG, assets={})


def test_an_oversized_packet_is_refused_before_a_child_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "HTML_MAX_CHARS", 10)
    monkeypatch.setattr(WeasyPrintPrinter, "_run", lambda *_: pytest.fail("a child was started"))
    with pytest.raises(PrintFailed, match="11 characters of HTML; the maximum is 10"):
        WeasyPrintPrinter().print("x" * 11, assets={})


@pytest.mark.parametrize(
    ("returncode", "stdout", "stderr", "reason"),
    [
        (3, b"", b"noise\nThe reason.\n", "The reason."),
        (1, b"", b"Traceback\nKeyError: 'x'\n", "The printer failed: KeyError: 'x'."),
        (1, b"", b"", "The printer failed: exit status 1."),
        (1, b"", b"Exception ignored in: <object repr() failed>", "The printer ran out of memory."),
        (-6, b"", b"", "The printer was stopped: it ran out of memory."),
        (-5, b"", b"", "The printer was stopped: it ran out of memory."),
        (-15, b"", b"", "The printer was stopped: it received signal 15."),
        (0, b"<html>", b"", "The output of the printer is not a PDF; see the log of the worker."),
    ],
)
def test_every_way_a_child_can_end_has_words(returncode: int, stdout: bytes, stderr: bytes, reason: str) -> None:
    class Printer(WeasyPrintPrinter):
        def _run(self, order: bytes) -> subprocess.CompletedProcess[bytes]:
            return subprocess.CompletedProcess([], returncode, stdout, stderr)

    with pytest.raises(PrintFailed) as failed:
        Printer().print("<p>", assets={})
    assert failed.value.reason.startswith(reason)


def test_a_child_that_cannot_be_started_has_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf.sys, "executable", "/nonexistent/python")
    with pytest.raises(PrintFailed, match="The printer could not be started: No such file or directory"):
        WeasyPrintPrinter().print("<p>", assets={})


def test_the_child_inherits_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    seen: dict[str, Any] = {}

    def run(*_args: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options)
        return subprocess.CompletedProcess([], 0, b"%PDF-1.7", b"")

    monkeypatch.setattr(pdf.subprocess, "run", run)
    assert WeasyPrintPrinter().print("<p>", assets={}) == b"%PDF-1.7"
    assert "DATABASE_URL" not in seen["env"]


def _order(html: str) -> str:
    body = base64.b64encode(b"h1 { color: red }").decode()
    return json.dumps({"html": html, "assets": {"a.css": body}, "cpu_max_s": 9, "memory_max_bytes": 9})


def _child(monkeypatch: pytest.MonkeyPatch, html: str) -> tuple[int, bytes, str]:
    """Run the child's main in this process, its limits left out."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    monkeypatch.setattr(pdf, "limit", lambda **_: None)
    monkeypatch.setattr(pdf.sys, "stdin", io.StringIO(_order(html)))
    monkeypatch.setattr(pdf.sys, "stdout", out)
    monkeypatch.setattr(pdf.sys, "stderr", err)
    code = pdf.main()
    return code, out.buffer.getvalue(), err.getvalue().strip()  # type: ignore[attr-defined]


def test_the_child_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = _child(monkeypatch, PAGE)
    assert (code, out[:5], err) == (0, b"%PDF-", "")


def test_the_child_refuses_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = _child(monkeypatch, '<img src="asset:none.svg">')
    assert (code, out) == (3, b"")
    assert err.startswith("The packet refers to asset:none.svg")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "The packet needs more memory than the printer is allowed; shorten its longest texts."),
        (
            OSError("cannot load library\n'pango'"),
            "WeasyPrint does not work on this machine: cannot load library 'pango'",
        ),
    ],
)
def test_the_child_says_why_it_cannot(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    def fail(*_args: Any, **_options: Any) -> bytes:
        raise error

    monkeypatch.setattr(pdf, "render", fail)
    assert _child(monkeypatch, PAGE) == (3, b"", words)
