"""MLflow's REST API, on the standard library: a registered version, its run, and the digest of its file.

The API: https://mlflow.org/docs/latest/api_reference/rest-api.html. Files are read only through the tracking server
(`mlflow-artifacts:`). What a tracker says is a claim; the digest is computed from the bytes.
"""

import dataclasses
import hashlib
import http.client
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import is_plausible
from weighbridge.core.parsing.http_answers import bounded

API = "/api/2.0/mlflow"
PROXIED = "/api/2.0/mlflow-artifacts/artifacts"
SCHEME = "mlflow-artifacts"
ENTRIES_MAX, TEXT_CHARS_MAX = 5_000, 500
FILE_BYTES_MAX, FILE_S = 64 << 30, 3_600.0
CHUNK_BYTES = 1 << 20
NAME = re.compile(r"[^/:\x00-\x1f\x7f]{1,200}")
VERSION = re.compile(r"[0-9]{1,10}")


@dataclasses.dataclass(frozen=True)
class RegistryEntry:
    """A registered version with what its run logged: texts are printable and short, values finite."""

    name: str
    version: str
    run_id: str
    artifacts: str
    tags: Mapping[str, str]
    metrics: Mapping[str, Decimal]
    datasets: tuple[str, ...]


def registry_entry(server: PlatformServer, *, name: str, version: str) -> RegistryEntry:
    """Read a version and its run. Raises Invalid for another name, and for an answer that is not MLflow's."""
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
        text = f"{name!r} and {version!r} do not name a registered version; write its name and its number."
        raise Invalid(text, field="model")
    found = _inside(server.get(f"{API}/model-versions/get", name=name, version=version), "model_version")
    if found.get("name") != name or str(found.get("version")) != version:
        raise ServerRefused(f"{server.url} answered with another version than {version} of {name}.")
    place = server.get(f"{API}/model-versions/get-download-uri", name=name, version=version)
    run_id = found.get("run_id")
    run = _run(server, run_id) if isinstance(run_id, str) and run_id else {}
    data, inputs = _mapping(run.get("data")), _mapping(run.get("inputs"))
    return RegistryEntry(
        name=name,
        version=version,
        run_id=run_id if isinstance(run_id, str) else "",
        artifacts=str(place.get("artifact_uri") or found.get("source") or ""),
        tags=_texts(data.get("tags")) | _texts(found.get("tags")),
        metrics=_values(data.get("metrics")),
        datasets=tuple(_dataset(_mapping(each.get("dataset"))) for each in _rows(inputs.get("dataset_inputs"))),
    )


def digest_of_artifact(server: PlatformServer, entry: RegistryEntry, *, path: str) -> str:
    """Return the digest of a file of the version, computed from its bytes as they arrive.

    Raises Invalid if the tracking server does not serve the files, and for a path that leads elsewhere.
    """
    names = path.split("/")
    if any(name in ("", ".", "..") for name in names) or "\\" in path:
        raise Invalid(f"{path!r} is not the path of a file inside the version.", field="path")
    parts = urlsplit(entry.artifacts)
    if parts.scheme != SCHEME:
        text = f"The files of version {entry.version} lie at {entry.artifacts[:200]!r}, which MLflow does not serve."
        raise Invalid(f"{text} Give their digest with --sha256, or use weighbridge feed mlflow-draft.", field="path")
    folder = parts.path.strip("/")
    return _streamed(server, f"{PROXIED}/{quote(folder)}/{quote(path)}", path)


def _streamed(server: PlatformServer, address: str, path: str) -> str:
    connection, base = server.connection()
    authorization = {"Authorization": f"{server.scheme} {server.token}"} if server.token else {}
    digest, size = hashlib.sha256(), 0
    try:
        connection.request("GET", base + address, headers=authorization)
        connection.response_class = bounded(total_s=FILE_S, bytes_max=FILE_BYTES_MAX)  # type: ignore[assignment]  # called alike
        with connection.getresponse() as answer:
            if answer.status != http.client.OK:
                text = f"MLflow does not serve {path} ({answer.status}); give its path with --path."
                raise Invalid(text, field="path")
            while chunk := answer.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
            if answer.length:
                raise ServerRefused(f"The file {path} was cut off after {size:,} bytes.")
    except (OSError, http.client.HTTPException) as error:
        raise ServerRefused(f"{server.url} does not send {path}: {str(error) or type(error).__name__}.") from error
    finally:
        connection.close()
    return DIGEST_PREFIX + digest.hexdigest()


def _run(server: PlatformServer, run_id: str) -> Mapping[str, Any]:
    return _inside(server.get(f"{API}/runs/get", run_id=run_id), "run")


def _inside(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = answer.get(name)
    if not isinstance(value, dict):
        raise ServerRefused(f"The answer has no {name}; the address may not be that of an MLflow server.")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[Mapping[str, Any]]:
    rows = value if isinstance(value, list) else []
    if len(rows) > ENTRIES_MAX:
        raise Invalid(f"The version has more than {ENTRIES_MAX:,} tags, metrics or data sets.", field="model")
    return [row for row in rows if isinstance(row, dict)]


def _texts(value: object) -> dict[str, str]:
    return {_text(row.get("key")): _text(row.get("value")) for row in _rows(value)}


def _text(value: object) -> str:
    kept = "".join(letter for letter in str(value or "") if letter.isprintable())
    return kept[:TEXT_CHARS_MAX]


def _values(value: object) -> dict[str, Decimal]:
    """Return the metrics with a finite, plausible value; the server writes NaN and infinity as text."""
    found = {}
    for row in _rows(value):
        number = row.get("value")
        if isinstance(number, int | float) and not isinstance(number, bool):
            exact = Decimal(str(number))
            if exact.is_finite() and is_plausible(exact):
                found[_text(row.get("key"))] = exact
    return found


def _dataset(dataset: Mapping[str, Any]) -> str:
    return f"{_text(dataset.get('name'))} ({_text(dataset.get('digest'))})"
