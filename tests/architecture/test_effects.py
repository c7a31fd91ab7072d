"""Effects leave through the outbox, models are reached by import, the environment has one reader."""

import ast
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, calls, imports, name_of, parsed, sources

ENQUEUE = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit"}
ESCAPE = {"mark_safe", "SafeString", "SafeText"}
SPEAKERS = {"http.client", "urllib.request", "socket", "httpx", "jira", "smtplib", "urllib3", "aiohttp"}


def called(tree: ast.AST, names: Collection[str]) -> list[str]:
    return [f"{name}() in line {line}" for name, line in calls(tree) if name in names]


def may_enqueue(path: Path) -> bool:
    name = name_of(path)
    return name.endswith("/tasks.py") or "/tasks/" in name or name == "governance/jobs/worker_signals.py"


def offences(paths: list[Path], names: Collection[str]) -> list[str]:
    return [f"{name_of(path)}: {offence}" for path in paths for offence in called(parsed(path), names)]


@pytest.mark.parametrize("line", ["task.delay(1)", "tasks.send.apply_async((1,))", "app.send_task('x')"])
def test_an_enqueued_task_is_seen(line: str) -> None:
    assert len(called(ast.parse(line), ENQUEUE)) == 1


def test_only_tasks_and_wakeups_enqueue() -> None:
    assert offences([path for path in sources() if not may_enqueue(path)], ENQUEUE) == []


def test_models_are_imported_never_looked_up_by_name() -> None:
    assert called(ast.parse("apps.get_model('reviews', 'Vote')"), {"get_model"}) == ["get_model() in line 1"]
    assert offences(sources(), {"get_model"}) == []


def test_python_marks_no_text_as_safe() -> None:
    assert called(ast.parse("mark_safe(text)"), ESCAPE) == ["mark_safe() in line 1"]
    drawn_here = {"governance/accounts/web/adapters.py"}  # a QR code: squares alone, of an address the server made
    assert offences([path for path in sources() if name_of(path) not in drawn_here], ESCAPE) == []


def environment_reads(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]


def test_the_environment_is_read_in_one_place() -> None:
    """The roof owns the environment; the toolkit, usable alone, has its own few variables."""
    assert environment_reads(ast.parse("x = 1\nos.environ['HOME']\nos.getenv('A')")) == [2, 3]
    exempt = ("config/", "benchmarking/toolkit/", "reviews/packets/printing/", "reviews/tickets/jira/")
    readers = [name_of(path) for path in sources() if environment_reads(parsed(path))]
    assert [name for name in readers if not name.startswith(exempt)] == []


def test_only_adapters_speak_to_the_network() -> None:
    rooms = ("reviews/tickets/jira/", "benchmarking/toolkit/", "config/")
    own = ("governance/operations/management/stack.py",)  # asks the server it has just started whether it is up
    speakers = [
        f"{name_of(path)}: imports {module} in line {line}"
        for path in sources()
        for module, line in imports(parsed(path))
        if module in SPEAKERS and not name_of(path).startswith(rooms + own)
    ]
    assert speakers == []


def telemetry_left_on(text: str) -> bool:
    """Whether a module imports ONNX Runtime before it has named the variable that keeps it silent."""
    lines = [line for module, line in imports(ast.parse(text)) if module.split(".")[0] == "onnxruntime"]
    before = text.splitlines()[: min(lines) - 1] if lines else []
    return bool(lines) and not any("ORT_DISABLE_TELEMETRY" in line for line in before)


def test_onnx_runtime_is_silenced_before_it_is_imported() -> None:
    assert telemetry_left_on("import onnxruntime\nos.environ['ORT_DISABLE_TELEMETRY'] = '1'\n")
    assert not telemetry_left_on("os.environ['ORT_DISABLE_TELEMETRY'] = '1'\nimport onnxruntime\n")
    paths = [*sources(), *sources("tests")]
    talkative = [name_of(path) for path in paths if telemetry_left_on(path.read_text())]
    assert [name for name in talkative if not is_silenced_by_conftest(name)] == []


def is_silenced_by_conftest(name: str) -> bool:
    """tests/conftest.py sets the variable before any test module is imported."""
    assert "ORT_DISABLE_TELEMETRY" in (ROOT / "tests" / "conftest.py").read_text()
    return name.startswith("tests/")
