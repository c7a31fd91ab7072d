"""One parser for what comes from outside: nothing else reads JSON or YAML, but for what is named here."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.tree import APPS, TOOLKIT, name_of, parsed, sources

READERS = {
    f"{TOOLKIT}/core/parsing/json_text.py": "the reader of JSON",
    f"{TOOLKIT}/core/parsing/yaml_text.py": "the reader of YAML",
    "governance/site/api/parsers.py": "the reader of bodies; the framework hands them only to a kind of its own parser",
}
TRUSTED = {
    f"{TOOLKIT}/api/results.py": "a round trip of a document of our own, to turn tuples into lists",
    f"{TOOLKIT}/optimization/alternatives.py": "the same",
    f"{TOOLKIT}/optimization/language/document.py": "the same",
    f"{TOOLKIT}/charts/drawing.py": "the specification that Altair has just written",
    f"{TOOLKIT}/load/generator/child.py": "lines of the parent process",
    f"{TOOLKIT}/load/chat/results/samples.py": "what its own child processes kept, in a file of theirs",
    f"{TOOLKIT}/load/generator/generator.py": "lines of its own child processes, which run no foreign code",
    f"{TOOLKIT}/systems/sandbox/child.py": "the job that the parent wrote for this child",
    f"{TOOLKIT}/systems/trace.py": "the profile that ONNX Runtime writes; it runs behind the same walls as the model",
    "reviews/packets/printing/pdf.py": "the job of the parent process",
    "reviews/packets/printing/pdf_sections.py": "the same",
    "reviews/packets/printing/pdf_joined.py": "the same",
    "config/reference/performance.py": "figures that are part of the project",
    "config/reference/models.py": "results that are part of the project",
}
LIBRARIES = {
    "reviews/tickets/jira/client.py": "`json` of answers.Answer, which is the strict reader",
    "reviews/tickets/jira/errors.py": "the same",
    "reviews/tickets/jira/detection.py": "the same",
    "reviews/tickets/jira/atlassian.py": "the same",
}
PARSERS = {
    "json": {"load", "loads", "JSONDecoder"},
    "yaml": {"load", "safe_load", "load_all", "safe_load_all", "full_load"},
}
NAMES = {"JSONParser", "CSafeLoader", "SafeLoader", "JSONDecoder"}


def _parsers(module: str) -> set[str]:
    return PARSERS[module] | NAMES if module in PARSERS else set()


def uses(tree: ast.AST) -> Iterator[str]:
    """What reads JSON or YAML without the readers: functions, imported parsers, and `.json()` of an answer."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.attr in _parsers(node.value.id)
        ):
            yield f"{node.value.id}.{node.attr} in line {node.lineno}"
        if isinstance(node, ast.ImportFrom):
            wanted = PARSERS.get(node.module or "", set()) | NAMES
            yield from (f"{alias.name} in line {node.lineno}" for alias in node.names if alias.name in wanted)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "json":
            yield f".json() in line {node.lineno}"


@pytest.mark.parametrize(
    "line",
    [
        "json.loads(text)",
        "read = json.load",
        "from json import loads",
        "import json\njson.JSONDecoder()",
        "yaml.safe_load(text)",
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "from yaml import CSafeLoader",
        "answer.json()",
        "requests.get(url).json()",
        "from rest_framework.parsers import JSONParser",
    ],
)
def test_a_bare_use_is_seen(line: str) -> None:
    assert list(uses(ast.parse(line))) != []


def test_what_writes_is_no_use() -> None:
    assert list(uses(ast.parse("json.dumps(x)\nyaml.safe_dump(x)\nself.json = 1\nfrom json import dumps"))) == []


def test_nothing_else_reads_json_or_yaml() -> None:
    named = READERS | TRUSTED | LIBRARIES
    found = {name_of(path): list(uses(parsed(path))) for path in sources("config", *APPS)}
    assert {name: uses_of for name, uses_of in found.items() if uses_of and name not in named} == {}
    assert {name for name in named if not found[name]} == set()
