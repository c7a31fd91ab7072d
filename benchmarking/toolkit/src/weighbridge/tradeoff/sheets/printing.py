"""Printing: turns the page into PDF with a program that is installed beside the toolkit, or says that there is none.

The toolkit itself holds no layout engine: WeasyPrint is asked first, then Chromium, each as a program of its own that
reads one file and may load nothing, because the page carries everything inside.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from weighbridge.core.errors import Refused
from weighbridge.core.extras import install_sentence

WALL_MAX_S = 90.0


class PrintRefused(Refused):
    """No PDF could be made."""

    default_code = "print"


def print_pdf(source: Path, target: Path) -> None:
    """Print the HTML file `source` as `target`; raise PrintRefused with what to do where that cannot be done."""
    command = _command(source, target)
    if command is None:
        raise PrintRefused(f"No PDF: neither weasyprint nor chromium is here. {install_sentence('weasyprint')}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WALL_MAX_S, check=False)  # noqa: S603 -- fixed programs
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PrintRefused(
            f"No PDF: {Path(command[0]).name} did not finish ({error}). Print the HTML instead."
        ) from error
    if done.returncode != 0 or not target.is_file():
        last = done.stderr.strip().rpartition("\n")[2]
        raise PrintRefused(f"No PDF: {Path(command[0]).name} said {last!r:.200}. Print the HTML instead.")


def _command(source: Path, target: Path) -> list[str] | None:
    beside = str(Path(sys.executable).parent)
    if found := shutil.which("weasyprint") or shutil.which("weasyprint", path=beside):
        return [found, "--quiet", str(source), str(target)]
    if found := shutil.which("chromium"):
        return [
            found,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target.absolute()}",
            source.absolute().as_uri(),
        ]
    return None
