"""The schema of the API and the help of every command stand on generated, committed pages already.

`tests/architecture/test_reference.py` compares `docs/reference/commands.md` with the help that is made now, and
`tests/integration/reviews/test_schema.py` the paths of `docs/reference/openapi.yaml`. Nothing is pinned twice; what
is added here: the rest of the schema, and that each command really prints the help of its page.
"""

from collections.abc import Iterator

import pytest
import typer.main
from click import Command
from typer.testing import CliRunner

from config.reference.__main__ import FOLDER, stale
from config.reference.pages import openapi
from weighbridge.cli.app import app

WIDTH = 100
COMMAND = typer.main.get_command(app)


def walked(command: Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from walked(inner, (*path, name))


def test_the_whole_schema_is_what_the_code_says() -> None:
    assert stale(FOLDER, {"openapi.yaml": openapi}) == []


@pytest.mark.parametrize("path", list(walked(COMMAND)), ids=" ".join)
def test_a_command_prints_the_help_of_its_page(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(
        app, [*path, "--help"], prog_name="weighbridge", terminal_width=WIDTH, max_content_width=WIDTH
    )
    heading = " ".join(("weighbridge", *path))
    page = (FOLDER / "commands.md").read_text()
    assert done.exit_code == 0
    assert f"## {heading}\n\n```text\n{done.stdout.strip()}\n```\n" in page
