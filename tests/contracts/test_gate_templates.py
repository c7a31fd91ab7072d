"""The templates of other systems, checked against what those systems accept, and the commands in them typed."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tests.unit.toolkit.client.feed.feeds import ALLOWED, ENTRIES, PUBLIC, REVOKED, written
from weighbridge.cli.app import app

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "gates"
NAME = re.compile(r"[A-Za-z_][\w-]*")
Shape = type | tuple["Shape", ...] | list["Shape"] | Mapping[str, "Shape"]

# What the metadata syntax of GitHub allows for a composite action; a key with "?" may be missing.
GITHUB: Shape = {
    "name": str,
    "description": str,
    "inputs": {"*": {"description": str, "required?": bool, "default?": str}},
    "runs": {"using": str, "steps": [{"name": str, "shell": str, "env": {"*": str}, "run": str}]},
}
# What `spec:inputs` and a job of GitLab allow, as far as the template uses it.
GITLAB_SPEC: Shape = {
    "spec": {"inputs": {"*": {"description?": str, "regex?": str, "type?": str, "default?": (str, int)}}}
}
GITLAB_JOB: Shape = {"*": {"stage": str, "image": str, "variables": {"*": str}, "script": [str], "allow_failure": bool}}
# ValidatingWebhookConfiguration of admissionregistration.k8s.io/v1, as far as the template uses it.
RULE: Shape = {"apiGroups": [str], "apiVersions": [str], "operations": [str], "resources": [str]}
WEBHOOK: Shape = {
    "apiVersion": str,
    "kind": str,
    "metadata": {"name": str},
    "webhooks": [
        {
            "name": str,
            "admissionReviewVersions": [str],
            "sideEffects": str,
            "failurePolicy": str,
            "matchPolicy": str,
            "timeoutSeconds": int,
            "clientConfig": {"caBundle": str, "service": {"namespace": str, "name": str, "path": str}},
            "namespaceSelector": {"matchExpressions": [{"key": str, "operator": str, "values": [str]}]},
            "rules": [RULE],
        }
    ],
}


def faults(value: object, shape: Any, where: str = "") -> list[str]:
    """Where a document does not have the shape."""
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return [f"{where} is no mapping"]
        names = {name.rstrip("?"): name for name in shape}
        missing = [f"{where}.{name} is missing" for name in shape if name[-1] not in "?*" and name not in value]
        odd = [f"{where}.{name} is unknown" for name in value if name not in names and "*" not in shape]
        known = [(name, names.get(name, "*")) for name in value if name in names or "*" in shape]
        return [*missing, *odd, *(fault for n, key in known for fault in faults(value[n], shape[key], f"{where}.{n}"))]
    if isinstance(shape, list):
        if not isinstance(value, list) or not value:
            return [f"{where} is no list with anything in it"]
        return [fault for place, each in enumerate(value) for fault in faults(each, shape[0], f"{where}[{place}]")]
    return [] if type(value) in (shape if isinstance(shape, tuple) else (shape,)) else [f"{where} is {value!r}"]


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def check_options(words: list[str]) -> None:
    """Raise for a command or an option that `weighbridge` does not have."""
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, list(words)).close()


def test_a_document_of_another_shape_is_seen() -> None:
    assert faults({"a": 1, "c": []}, {"a": str, "b": str, "c": [str]}) == [
        ".b is missing",
        ".a is 1",
        ".c is no list with anything in it",
    ]
    assert faults({"d": 1}, {"a?": str}) == [".d is unknown"]
    assert faults([], {"a": str}) == [" is no mapping"]


def test_the_action_is_one_for_github() -> None:
    (action,) = documents("github-action/action.yml")
    assert faults(action, GITHUB) == []
    assert action["runs"]["using"] == "composite"
    used = set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", yaml.safe_dump(action)))
    assert used == set(action["inputs"])
    assert all("${{" not in step["run"] for step in action["runs"]["steps"]), "text of a caller would be code"
    assert all(NAME.fullmatch(name) for name in action["inputs"])


@pytest.mark.parametrize(
    ("given", "code"),
    [({"DIGEST": ALLOWED}, 0), ({"DIGEST": REVOKED}, 1), ({"PUBLIC_KEY": "none"}, 2), ({"DIGEST": "$(id)"}, 2)],
)
def test_the_script_of_the_action_asks_the_gate(tmp_path: Path, given: dict[str, str], code: int) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)  # noqa: TID251 -- the script reads the clock of the machine
    rows = [entry if entry.allowed_until is None else extended(entry, now + timedelta(days=1)) for entry in ENTRIES]
    feed = written(tmp_path, tuple(rows), issued_at=now)
    (tmp_path / "weighbridge" / "bin").mkdir(parents=True)
    program = tmp_path / "weighbridge" / "bin" / "weighbridge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m weighbridge "$@"\n')
    program.chmod(0o755)
    (action,) = documents("github-action/action.yml")
    defaults = {"MAX_AGE": action["inputs"]["max-age"]["default"], "TIMEOUT": action["inputs"]["timeout"]["default"]}
    variables = {"DIGEST": ALLOWED, "ENVIRONMENT": "prod", "PUBLIC_KEY": PUBLIC, "FEED": str(feed), **defaults, **given}
    assert {*variables, "WEIGHBRIDGE_URL", "WEIGHBRIDGE_TOKEN"} == set(action["runs"]["steps"][1]["env"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", action["runs"]["steps"][1]["run"]],
        env={**os.environ, **variables, "RUNNER_TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr


def extended(entry: Any, until: Any) -> Any:
    from dataclasses import replace

    return replace(entry, allowed_until=until.isoformat())


def test_the_template_is_one_for_gitlab() -> None:
    spec, job = documents("gitlab/gate.yml")
    assert faults(spec, GITLAB_SPEC) == []
    assert faults(job, GITLAB_JOB) == []
    inputs = spec["spec"]["inputs"]
    assert set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", yaml.safe_dump(job))) == set(inputs)
    (gate,) = job.values()
    assert gate["allow_failure"] is False
    assert all("$[[" not in line for line in gate["script"]), "text of a caller would be code"
    digest, environment = (re.compile(inputs[name]["regex"].strip("/")) for name in ("digest", "environment"))
    assert digest.fullmatch(ALLOWED)
    assert not digest.search("sha256:$(id)")
    assert environment.fullmatch("prod")
    assert not environment.search("prod; id")
    words = shlex.split(gate["script"][0])
    own = {"$DIGEST": ALLOWED, "$ENVIRONMENT": "prod", "$MAX_AGE": str(inputs["max-age"]["default"])}
    check_options([own.get(word, word) for word in [*words[1:], "--public-key", "k"]])


def test_the_webhook_fails_closed_and_leaves_out_only_itself() -> None:
    parts = {part["kind"]: part for part in documents("kubernetes/admission.yaml")}
    assert list(parts) == ["Namespace", "Deployment", "Service", "ValidatingWebhookConfiguration"]
    webhook = parts["ValidatingWebhookConfiguration"]
    assert faults(webhook, WEBHOOK) == []
    (hook,) = webhook["webhooks"]
    assert (hook["failurePolicy"], hook["sideEffects"]) == ("Fail", "None")
    assert hook["namespaceSelector"]["matchExpressions"][0]["values"] == ["weighbridge", "kube-system"]
    service = parts["Service"]
    assert hook["clientConfig"]["service"]["name"] == service["metadata"]["name"]
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    webhook_container, mirror = pod["containers"]
    command = [*webhook_container["command"], *webhook_container["args"]]
    assert command[0] == "weighbridge"
    check_options(command[1:])
    assert command[command.index("--port") + 1] == str(service["spec"]["ports"][0]["targetPort"])
    pull = re.search(r"weighbridge (feed pull [^;]+);", mirror["args"][0])
    assert pull is not None
    check_options(shlex.split(pull[1]))


REQUEST_ACTION: Shape = {**GITHUB, "inputs": {"*": {"description": str, "required?": bool, "default?": str}}}
WORKFLOW: Shape = {
    "name": str,
    "on": {"pull_request": {"paths": [str]}},
    "permissions": {"contents": str, "pull-requests": str},
    "concurrency": {"group": str},
    "jobs": {"*": {"if": str, "runs-on": str, "steps": [{"uses": str, "with": {"*": (str, bool)}}]}},
}


def test_the_action_that_files_is_one_for_github() -> None:
    (action,) = documents("github-request/action.yml")
    assert faults(action, REQUEST_ACTION) == []
    used = set(re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", yaml.safe_dump(action)))
    assert used == set(action["inputs"])
    steps = action["runs"]["steps"]
    assert all("${{" not in step["run"] for step in steps), "text of a caller would be code"
    secret = [step["name"] for step in steps if "WEIGHBRIDGE_TOKEN" in step["env"]]
    assert secret == ["File the request or update its draft"]
    words = shlex.split(steps[1]["run"].replace('"$RUNNER_TEMP/weighbridge/bin/weighbridge"', ""))
    check_options(words)


def test_a_fork_gets_no_secret_and_files_nothing() -> None:
    (workflow,) = yaml.load_all((FOLDER / "github-request/workflow.yml").read_text(), Loader=yaml.BaseLoader)
    assert faults(workflow, WORKFLOW) == []
    assert set(workflow["on"]) == {"pull_request"}, "pull_request_target runs with secrets for everybody"
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    (job,) = workflow["jobs"].values()
    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert job["steps"][0]["with"] == {"persist-credentials": "false"}
    (action,) = documents("github-request/action.yml")
    assert set(job["steps"][1]["with"]) <= set(action["inputs"])


GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *--paginate*) printf '%s' "$EARLIER" ;; esac
"""


@pytest.mark.parametrize(
    ("number", "earlier", "last"),
    [
        ("7", "", "api --silent --method POST repos/o/r/issues/7/comments --field body=@{folder}/weighbridge.md"),
        (
            "7",
            "https://api.github.test/comments/1\nhttps://api.github.test/comments/2\n",
            "api --silent --method PATCH https://api.github.test/comments/1 --field body=@{folder}/weighbridge.md",
        ),
        ("", "", None),
    ],
)
def test_the_script_comments_once(tmp_path: Path, number: str, earlier: str, last: str | None) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (action,) = documents("github-request/action.yml")
    step = action["runs"]["steps"][2]
    given = {"GITHUB_REPOSITORY": "o/r", "RUNNER_TEMP": str(tmp_path), "CALLS": str(tmp_path / "calls")}
    given |= {"PULL_REQUEST": number, "EARLIER": earlier, "GH_TOKEN": "t"}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env={**os.environ, **given, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    calls = (tmp_path / "calls").read_text().splitlines() if last else []
    assert [call for call in calls if "--paginate" not in call] == ([last.format(folder=tmp_path)] if last else [])


def test_the_mark_of_the_script_is_that_of_the_comment() -> None:
    from weighbridge.client.drafts.comment import MARK

    (action,) = documents("github-request/action.yml")
    assert f'startswith("{MARK}")' in action["runs"]["steps"][2]["run"]
