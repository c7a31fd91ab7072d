"""Every module says in one line what it is for; no name is vague."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.architecture import tree
from tests.architecture.tree import APPS, ROOT, TOOLKIT, layers, name_of, parsed, sources, templates

VAGUE = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "managers",
    "service",
    "services",
    "base_utils",
}


def packages() -> list[Path]:
    """Packages; Django wants `management/commands`, which belongs to the layer `management`."""
    return [path for path in sources() if path.name == "__init__.py" and path.parent.name != "commands"]


def purpose(tree: ast.Module) -> str:
    """First paragraph of the docstring, or nothing."""
    return (ast.get_docstring(tree) or "").partition("\n\n")[0]


def test_every_room_says_what_it_is_for() -> None:
    assert [name_of(path) for path in packages() if not purpose(parsed(path)).endswith(".")] == []


SIBLINGS, SUBJECTS = 15, 20
PACKAGES = {ROOT / name for name in APPS}
"""The folders of subjects may hold more: `pyproject.toml` lists their subjects in order."""


def siblings(folder: Path) -> int:
    """Modules, templates and folders side by side.

    Left out are data files (prices, style sheets), `__init__.py`, and `__main__.py`, which Python looks for there.
    """
    beside = [path for path in folder.iterdir() if path.name not in {"__init__.py", "__main__.py", "__pycache__"}]
    sources = [path for path in beside if path.is_dir() or path.suffix in {".py", ".html"}]
    return len([path for path in sources if not path.name.endswith(".egg-info")])


def test_no_folder_is_crowded() -> None:
    files = [*sources(*APPS, "config", "examples"), *templates()]
    folders = {folder for path in files for folder in path.parents if folder.is_relative_to(ROOT) and folder != ROOT}
    assert {ROOT / "governance", ROOT / TOOLKIT, ROOT / "templates"} <= folders
    most = {path: SUBJECTS if path in PACKAGES else SIBLINGS for path in folders}
    assert {name_of(path): siblings(path) for path in folders if siblings(path) > most[path]} == {}


def test_what_pip_builds_from_the_toolkit_is_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("src/kept.py", "build/lib/copy.py"):
        file = tmp_path / "toolkit" / name
        file.parent.mkdir(parents=True)
        file.touch()
    monkeypatch.setattr(tree, "ROOT", tmp_path)
    assert tree.sources("toolkit") == [tmp_path / "toolkit/src/kept.py"]


def test_no_name_is_vague() -> None:
    assert [name_of(path) for path in sources() if path.stem in VAGUE or path.parent.name in VAGUE] == []


def test_every_module_of_the_pure_layers_has_a_docstring() -> None:
    pure = [*layers("domain"), *sources(TOOLKIT)]
    assert len(pure) > 4
    assert [name_of(path) for path in pure if not purpose(parsed(path))] == []


SKIPS = {
    "tests/contracts/test_focus_bills.py": "the public sample of FOCUS is not part of the project",
    "tests/integration/governance/operations/test_monitoring.py": "promtool is a package of Debian",
    "tests/integration/toolkit/client/test_worker_namespaces.py": "network namespaces need root",
    "tests/performance/test_pareto_speed.py": "the other library is installed from the index of packages",
    "tests/promises/test_01_hosts.py": "network namespaces need root, nginx and Redis",
    "tests/promises/test_04_contract.py": "Atlassian's description and Prism are not part of the project",
    "tests/promises/test_05_writers.py": "half a minute shows no growth of memory",
    "tests/promises/test_08_chart.py": "Helm is taken from a package, for Linux on x86-64 alone",
    "tests/promises/test_08_image.py": "a root folder of Debian needs root and mmdebstrap",
}


def test_no_test_is_skipped_without_a_reason_named_here() -> None:
    marks = ("mark." + "skip", "mark." + "xfail", "import" + "orskip", "pytest." + "skip(")
    skipping = [name_of(path) for path in sources("tests") if any(mark in path.read_text() for mark in marks)]
    assert skipping == sorted(SKIPS)


def suppressions(text: str) -> list[str]:
    """Every comment of a module that silences the linter."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT and "noqa" in token.string]


def is_reasoned(comment: str) -> bool:
    """Whether a suppression has the form `noqa: CODE -- reason`."""
    return re.search(r"# noqa: [A-Z]+\d+(, ?[A-Z]+\d+)* -- \w", comment) is not None


def test_a_bare_suppression_is_seen() -> None:
    text = "import x  # noqa: F401 -- registers itself\nimport y  # noqa: F401\nimport z  # noqa\nw = '# noqa'\n"
    assert [is_reasoned(comment) for comment in suppressions(text)] == [True, False, False]


def test_every_suppressed_lint_gives_its_reason() -> None:
    bare = [
        f"{name_of(path)}: {comment}"
        for path in (*sources(), *sources("tests"), ROOT / "manage.py")
        for comment in suppressions(path.read_text())
        if not is_reasoned(comment)
    ]
    assert bare == []
