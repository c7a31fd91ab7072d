"""Print a page as PDF with an installed program, or report that there is none.

The toolkit has no layout engine of its own. It tries WeasyPrint, then Chromium, each as a separate process that reads
one file and may load nothing else, because the page is self-contained.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from weighbridge.core.errors import Refused
from weighbridge.core.extras import install_hint

WALL_MAX_S = 90.0


class PrintRefused(Refused):
    """No PDF could be created."""

    default_code = "print"


def print_pdf(source: Path, target: Path) -> None:
    """Print the HTML file `source` as `target`; raise PrintRefused with instructions if that is not possible."""
    command = _command(source, target)
    if command is None:
        raise PrintRefused(f"No PDF: neither weasyprint nor chromium is installed. {install_hint('weasyprint')}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WALL_MAX_S, check=False)  # noqa: S603 -- fixed programs
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PrintRefused(
            f"No PDF: {Path(command[0]).name} did not finish ({error}). Print the HTML instead."
        ) from error
    if done.returncode != 0 or not target.is_file():
        last = done.stderr.strip().rpartition("\n")[2]
        raise PrintRefused(f"No PDF: {Path(command[0]).name} reported {last!r:.200}. Print the HTML instead.")


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
