"""The image and the compose file: nothing here can build or start them, so what they name is held to what there is."""

import importlib.util
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from benchmarking.runs.management.bench_role import ROLE
from config.celery import app
from config.settings.variables import VARIABLES
from tests.architecture.tree import ROOT

DOCKER = ROOT / "docker"
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
SERVICE_KEYS = {
    "build",
    "cap_drop",
    "command",
    "depends_on",
    "environment",
    "healthcheck",
    "image",
    "ports",
    "restart",
    "security_opt",
    "volumes",
}
HEALTH_KEYS = {"test", "interval", "timeout", "start_period", "retries"}


def compose() -> dict[str, Any]:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def services() -> dict[str, dict[str, Any]]:
    return compose()["services"]


def ours() -> dict[str, dict[str, Any]]:
    return {name: each for name, each in services().items() if each["image"] == "weighbridge:local"}


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of every line of the Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n", " ", (DOCKER / "Dockerfile").read_text())
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def processes() -> dict[str, str]:
    """What the entry point does for each of its arguments."""
    text = (DOCKER / "entrypoint.sh").read_text()
    return dict(re.findall(r"^  (\w+)\)(.*?);;$", text, re.DOTALL | re.MULTILINE))


# the image


def test_the_dockerfile_is_made_of_known_instructions_and_starts_from_a_named_version() -> None:
    found = instructions()
    assert {word for word, _ in found} <= INSTRUCTIONS
    assert re.fullmatch(r"python:3\.11-slim-[a-z]+", found[0][1])
    assert [word for word, _ in found].count("FROM") == 1


def test_what_is_copied_is_there() -> None:
    sources = [name for word, rest in instructions() if word == "COPY" for name in rest.split()[:-1]]
    assert len(sources) >= 9
    assert [name for name in sources if not (ROOT / name).exists()] == []


def test_every_package_of_ours_is_in_the_image() -> None:
    copied = {name for word, rest in instructions() if word == "COPY" for name in rest.split()[:-1]}
    assert {
        "governance",
        "benchmarking",
        "reviews",
        "templates",
        "requirements",
        "manage.py",
        "pyproject.toml",
    } <= copied


def test_packages_come_without_their_lists_and_nothing_runs_as_root() -> None:
    found = instructions()
    installs = [rest for word, rest in found if word == "RUN" and "apt-get install" in rest]
    assert all("--no-install-recommends" in rest and "rm -rf /var/lib/apt/lists" in rest for rest in installs)
    assert all("--no-cache-dir" in rest for word, rest in found if word == "RUN" and "pip install" in rest)
    words = [word for word, _ in found]
    assert dict(found)["USER"] not in {"root", "0"}
    assert words.index("USER") > max(place for place, word in enumerate(words) if word == "RUN")


def test_no_secret_is_in_the_image() -> None:
    secrets = {variable.name for variable in VARIABLES if variable.kind == "secret"}
    text = (DOCKER / "Dockerfile").read_text()
    assert [name for name in secrets if name in text] == []
    named = set(re.findall(r"\b(\w+)=", dict(instructions())["ENV"]))
    assert named <= {variable.name for variable in VARIABLES} | {
        "DJANGO_SETTINGS_MODULE",
        "ORT_DISABLE_TELEMETRY",
        "PYTHONUNBUFFERED",
    }


# the entry point


def test_the_entry_point_knows_these_processes() -> None:
    assert set(processes()) == {"web", "worker", "packets", "batch", "bench", "tick", "migrate", "health"}
    usage = subprocess.run(["sh", DOCKER / "entrypoint.sh"], capture_output=True, text=True, check=False)
    said = "usage: web | worker | packets | batch | bench | tick | migrate | health\n"
    assert (usage.returncode, usage.stderr) == (2, said)


def test_what_the_entry_point_runs_is_there() -> None:
    text = (DOCKER / "entrypoint.sh").read_text()
    commands = re.findall(r"manage\.py (\w+)", text)
    assert set(commands) == {"collectstatic", "tick", "migrate", "prepare", "bench_role"}
    assert set(commands) <= set(get_commands())
    assert all(importlib.util.find_spec(name) for name in ("gunicorn", "celery"))
    assert all(importlib.util.find_spec(name) for name in ("config.wsgi", "config.celery"))
    (script,) = re.findall(r"python /usr/local/lib/weighbridge/(\w+\.py)", text)
    assert (DOCKER / script).exists()


def test_every_queue_has_a_worker() -> None:
    listened = re.findall(r"-Q ([\w.,]+)", (DOCKER / "entrypoint.sh").read_text())
    served = {queue for queues in listened for queue in queues.split(",")}
    routed = {route["queue"] for route in app.conf.task_routes.values()}
    assert served == routed | {app.conf.task_default_queue}


def test_the_tick_of_a_container_goes_on() -> None:
    assert "--every" in processes()["tick"]


# compose


def test_services_use_keys_there_are_and_name_what_there_is() -> None:
    assert set(compose()) == {"name", "x-process", "services", "volumes"}
    for name, each in services().items():
        assert set(each) <= SERVICE_KEYS, name
        assert set(each.get("depends_on", {})) <= set(services()), name
        assert set(each.get("healthcheck", {})) <= HEALTH_KEYS, name
        named = {volume.partition(":")[0] for volume in each.get("volumes", ())}
        assert named <= set(compose()["volumes"]), name


def test_every_process_of_ours_is_one_the_entry_point_knows() -> None:
    commands = {each["command"][0] for each in ours().values()}
    assert commands == set(processes()) - {"health"}
    assert all(len(each["command"]) == 1 for each in ours().values())


def test_other_images_are_named_with_their_version() -> None:
    others = {name: each["image"] for name, each in services().items() if name not in ours()}
    assert set(others) == {"database", "broker"}
    assert all(re.fullmatch(r"\w+:\d+-\w+", image) for image in others.values())


def test_what_others_wait_for_can_be_known() -> None:
    for each in services().values():
        for name, wanted in each.get("depends_on", {}).items():
            condition = wanted["condition"]
            assert condition in {"service_healthy", "service_completed_successfully"}
            assert condition != "service_healthy" or "healthcheck" in services()[name]


def test_the_questions_health_checks_ask_can_be_asked() -> None:
    asked = {name: each["healthcheck"]["test"] for name, each in services().items() if "healthcheck" in each}
    assert set(asked) == {"web", "worker", "database", "broker"}
    assert all(words[0] == "CMD" for words in asked.values())
    assert asked["web"] == ["CMD", "weighbridge-process", "health"]
    assert asked["database"][1] == "pg_isready"
    assert asked["broker"][1] == "redis-cli"
    help_text = subprocess.run(
        [sys.executable, "-m", "celery", *asked["worker"][2:-2], "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (help_text.returncode, asked["worker"][-2] in help_text.stdout) == (0, True)


def test_every_variable_is_one_the_application_reads_and_no_secret_stands_in_the_file() -> None:
    known = {variable.name: variable.kind for variable in VARIABLES}
    for each in ours().values():
        assert set(each["environment"]) <= set(known)
        for name, value in each["environment"].items():
            assert known[name] != "secret" or str(value).startswith("${")
    assert services()["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_every_setting_reaches_every_process() -> None:
    """The image sets the folder, and nobody debugs in production; a setting that is not passed on has no effect."""
    table = (ROOT / "docs/reference/settings.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert documented == {variable.name for variable in VARIABLES}
    elsewhere = {"WEIGHBRIDGE_VAR", "WEIGHBRIDGE_DEBUG", "WEIGHBRIDGE_BENCH_PASSWORD"}
    for name, each in ours().items():
        if name != "bench":
            assert set(each["environment"]) - {"WEIGHBRIDGE_BENCH_PASSWORD"} == documented - elsewhere
    required = {name for name, value in compose()["x-process"]["environment"].items() if f"${{{name}:?" in str(value)}
    assert required == {"WEIGHBRIDGE_SECRET_KEY", "WEIGHBRIDGE_HOSTS", "WEIGHBRIDGE_BASE_URL", "WEIGHBRIDGE_PROXIES"}


def test_the_worker_that_runs_models_holds_no_key_and_only_reads_artifacts() -> None:
    bench, others = ours()["bench"], {name: each for name, each in ours().items() if name != "bench"}
    secrets = {variable.name for variable in VARIABLES if variable.kind == "secret"} | {"WEIGHBRIDGE_SIGNING_KEY"}
    own = {
        "AWS_ACCESS_KEY_ID": "${BENCH_AWS_ACCESS_KEY_ID:-}",
        "AWS_SECRET_ACCESS_KEY": "${BENCH_AWS_SECRET_ACCESS_KEY:-}",
    }
    assert {name: value for name, value in bench["environment"].items() if name in secrets} == own
    assert bench["environment"]["DATABASE_URL"].startswith(f"postgresql://{ROLE}:${{WEIGHBRIDGE_BENCH_PASSWORD:?")
    assert bench["volumes"] == ["artifacts:/var/lib/weighbridge/artifacts:ro"]
    assert 'WEIGHBRIDGE_SECRET_KEY="$(python -c' in processes()["bench"]
    for each in others.values():
        assert each["volumes"] == ["kept:/var/lib/weighbridge", "artifacts:/var/lib/weighbridge/artifacts"]
        assert "weighbridge:${POSTGRES_PASSWORD" in each["environment"]["DATABASE_URL"]
    holders = {name for name, each in ours().items() if "WEIGHBRIDGE_BENCH_PASSWORD" in each["environment"]}
    assert holders == {"migrate"}


def test_only_the_page_is_reachable_and_only_from_this_machine() -> None:
    assert {name: each["ports"] for name, each in services().items() if "ports" in each} == {
        "web": ["127.0.0.1:8000:8000"]
    }


def test_processes_of_ours_have_no_privileges() -> None:
    for each in ours().values():
        assert each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]


# the health check, run


def ask(address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, DOCKER / "health.py", address], capture_output=True, text=True, check=False)


@pytest.mark.django_db(transaction=True)
def test_the_health_check_passes_on_what_the_process_says(live_server: Any, settings: Any, tmp_path: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": tmp_path / "none.pem"}
    well, sick = ask(f"{live_server.url}/livez"), ask(f"{live_server.url}/readyz")
    assert (well.returncode, well.stdout) == (0, "ok\n\n")
    assert (sick.returncode, "WEIGHBRIDGE_SIGNING_KEY" in sick.stderr) == (1, True)


def test_a_process_that_does_not_answer_is_not_well() -> None:
    assert ask("http://127.0.0.1:9/livez").returncode == 1
