"""Generated pages say what the code says, and a stale one is named with its difference."""

import ast
import re
from pathlib import Path

import pytest

from config.reference import pages, structure
from config.reference.__main__ import FOLDER, main, stale, write
from config.reference.tables import page, table
from config.settings.variables import VARIABLES
from tests.architecture.tree import APPS, ROOT, TOOLKIT, name_of, parsed, sources, subjects
from weighbridge.core.metrics.standard import STANDARD

QUICK = {name: make for name, make in pages.PAGES.items() if name not in pages.SLOW}


@pytest.mark.parametrize("name", sorted(QUICK))
def test_the_committed_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text() == QUICK[name]()


def test_every_subject_and_room_stands_on_the_page_and_every_path_on_it_exists() -> None:
    text = structure.structure()
    folders = [f"{app}/{subject}" for app in APPS for subject in subjects(app)]
    assert len(folders) > 25
    assert [folder for folder in folders if f"| `{folder}/` |" not in text] == []
    inside = {path.relative_to(ROOT).parts[2].removesuffix(".py") for path in modules_of_subjects()}
    known = {name.removesuffix(".py").removesuffix("/") for name in re.findall(r"`([\w./]+)`", text)}
    assert inside - known - {"__init__", "apps"} == set()
    paths = re.findall(r"`((?:governance|benchmarking|reviews|config|templates|tests|docs)/[\w/.*-]*)`", text)
    assert len(paths) > 50
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


def test_every_function_named_on_the_page_of_the_structure_is_where_it_says() -> None:
    named = re.findall(r"`(\w+)` (?:in|of) `([\w/]+\.py)`", structure.structure())
    assert len(named) > 4
    text = {path: (ROOT / path).read_text() for _, path in named}
    assert [pair for pair in named if not re.search(rf"^(def |class )?{pair[0]}\b", text[pair[1]], re.MULTILINE)] == []


def modules_of_subjects() -> list[Path]:
    return [
        path for path in sources() if not path.is_relative_to(ROOT / TOOLKIT) and len(path.parts) > 2 + len(ROOT.parts)
    ]


def test_every_operator_command_stands_on_the_page() -> None:
    names = {path.stem for path in sources() if path.parent.name == "commands" and path.stem != "__init__"}
    assert len(names) > 10
    assert [name for name in names if f"| `manage.py {name}` |" not in pages.commands()] == []


def test_every_variable_and_fact_stands_on_its_page() -> None:
    assert [v.name for v in VARIABLES if f"| `{v.name}` |" not in pages.settings()] == []
    assert [name for name in STANDARD if f"| `{name}` |" not in pages.metrics()] == []


def test_every_variable_that_is_read_is_listed() -> None:
    """A variable that nobody can look up is a secret handshake."""
    listed = {variable.name for variable in VARIABLES}
    read = {
        argument.value
        for path in sources("config")
        for name, argument in env_calls(path)
        if name in {"text", "flag", "number", "names", "folder"}
    }
    assert "DATABASE_URL" in read
    assert read - listed == set()


def env_calls(path: Path) -> list[tuple[str, ast.Constant]]:
    return [
        (node.func.attr, node.args[0])
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def test_bars_in_cells_do_not_break_a_table() -> None:
    assert table(("A", "B"), [("x | y", "two\nlines")]) == "| A | B |\n| --- | --- |\n| x \\| y | two lines |"
    assert page("T", "x").endswith("# T\n\nx\n")


def test_a_stale_page_is_named_and_writing_makes_it_current(tmp_path: Path) -> None:
    made = {"one.md": lambda: "one\n", "two.md": lambda: "two\n"}
    write(tmp_path, made)
    assert stale(tmp_path, made) == []
    (tmp_path / "two.md").write_text("old\n")
    (difference,) = stale(tmp_path, made)
    assert difference.splitlines()[0].split() == ["---", "two.md", "as", "committed"]
    assert {"-old", "+two"} <= set(difference.splitlines())
    (tmp_path / "one.md").unlink()
    assert len(stale(tmp_path, made)) == 2


def test_the_command_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chekc"]) == 2
    assert capsys.readouterr().err.startswith("usage: ")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_every_link_of_a_root_page_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", (ROOT / name).read_text())
    assert len(links) > {"README.md": 30, "CHANGELOG.md": -1}.get(name, 1)
    assert [link for link in links if not (ROOT / link).exists()] == []


PATH = re.compile(r"`((?:governance|benchmarking|reviews|config|templates|tests|examples)/[\w/.*-]+)`")


def test_every_path_in_the_documents_exists() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {(name_of(text), path) for text in texts for path in PATH.findall(text.read_text())}
    assert len(named) > 100
    assert sorted(each for each in named if not list(ROOT.glob(each[1].rstrip("/")))) == []


def test_every_command_of_the_documents_is_a_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {
        target for path in texts for target in re.findall(r"(?:`|^)make ([a-z]+)", path.read_text(), flags=re.MULTILINE)
    }
    assert named >= {"demo", "run", "test", "check"}
    assert named - targets == set()


def test_every_decision_record_has_its_headings_and_fits_a_page() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert [line for line in text.splitlines() if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]
        assert len(text.splitlines()) <= 45
