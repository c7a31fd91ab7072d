"""Effects leave through the outbox, models are reached by import, the environment has one reader."""

import ast
from collections.abc import Collection
from pathlib import Path

import pytest

from config.reference.structure import SENDERS
from tests.architecture.tree import APPS, ROOT, TOOLKIT, calls, imports, name_of, parsed, sources

ENQUEUE = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit"}
ESCAPE = {"mark_safe", "SafeString", "SafeText"}
SPEAKERS = {
    "aiohttp",
    "boto3",
    "botocore",
    "django.core.mail",
    "ftplib",
    "http.client",
    "httpx",
    "imaplib",
    "jira",
    "mlflow",
    "requests",
    "smtplib",
    "socket",
    "ssl",
    "storages",
    "urllib.request",
    "urllib3",
    "wandb",
}


PROGRAMS = {"curl", "npm", "scp", "sftp", "ssh", "wget"}


def called(tree: ast.AST, names: Collection[str]) -> list[str]:
    return [f"{name}() in line {line}" for name, line in calls(tree) if name in names]


def may_enqueue(path: Path) -> bool:
    name = name_of(path)
    return name.endswith("/tasks.py") or "/tasks/" in name or name == "governance/jobs/worker_signals.py"


def offenses(paths: list[Path], names: Collection[str]) -> list[str]:
    return [f"{name_of(path)}: {offense}" for path in paths for offense in called(parsed(path), names)]


@pytest.mark.parametrize("line", ["task.delay(1)", "tasks.send.apply_async((1,))", "app.send_task('x')"])
def test_an_enqueued_task_is_seen(line: str) -> None:
    assert len(called(ast.parse(line), ENQUEUE)) == 1


def test_only_tasks_and_wakeups_enqueue() -> None:
    assert offenses([path for path in sources() if not may_enqueue(path)], ENQUEUE) == []


def test_models_are_imported_never_looked_up_by_name() -> None:
    assert called(ast.parse("apps.get_model('reviews', 'Vote')"), {"get_model"}) == ["get_model() in line 1"]
    assert offenses(sources(), {"get_model"}) == []


def test_python_marks_no_text_as_safe() -> None:
    assert called(ast.parse("mark_safe(text)"), ESCAPE) == ["mark_safe() in line 1"]
    drawn_here = {"governance/accounts/web/adapters.py"}  # a QR code: squares alone, of an address the server made
    assert offenses([path for path in sources() if name_of(path) not in drawn_here], ESCAPE) == []


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
    """`config/env.py` reads it for the server; the toolkit hands it on and silences what it starts."""
    assert environment_reads(ast.parse("x = 1\nos.environ['HOME']\nos.getenv('A')")) == [2, 3]
    readers = {name_of(path) for path in sources("config", *APPS) if environment_reads(parsed(path))}
    assert readers == {
        "config/asgi.py",  # names the settings, as Django's own files do
        "config/celery.py",
        "config/wsgi.py",
        "config/reference/pages.py",
        "config/env.py",
        f"{TOOLKIT}/api/load/prompts.py",  # the key of an API, by the name that the user gives
        f"{TOOLKIT}/cli/app.py",
        f"{TOOLKIT}/systems/device/runtime.py",  # finds the cache of the user
        f"{TOOLKIT}/systems/onnx_runtime.py",
        f"{TOOLKIT}/systems/sandbox/process.py",
        f"{TOOLKIT}/client/trackers/mlflow.py",
        f"{TOOLKIT}/client/trackers/wandb.py",
    }


def speaks(tree: ast.AST) -> list[str]:
    """What in a module can send something to another machine: an import, or a library or program asked for by name."""
    named = [module for module, _ in imports(tree) if {module, module.split(".")[0]} & SPEAKERS]
    asked = [
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if "import" in ast.unparse(node.func) and str(node.args[0].value).split(".")[0] in SPEAKERS
    ]
    run = [
        str(node.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func).endswith("which") and node.args[0].value in PROGRAMS
    ]
    return named + asked + run


@pytest.mark.parametrize(
    "line",
    [
        "import http.client",
        "from django.core.mail import send_mail",
        "from requests.exceptions import Timeout",
        "import_extra('mlflow.tracking')",
        "shutil.which('ssh')",
    ],
)
def test_a_speaker_is_seen(line: str) -> None:
    assert len(speaks(ast.parse(line))) == 1
    assert speaks(ast.parse("from urllib.parse import urlsplit\nfrom http import HTTPStatus\nprint('wandb')")) == []


def test_everything_that_leaves_the_machine_stands_on_the_page() -> None:
    """Whoever reads `docs/reference/network-calls.md` reads all of it: no speaker is missing, none is invented."""
    speakers = [name_of(path) for path in sources("config", *APPS) if speaks(parsed(path))]
    assert [name for name in speakers if not name.startswith(tuple(SENDERS))] == []
    assert [place for place in SENDERS if not any(name.startswith(place) for name in speakers)] == []


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
