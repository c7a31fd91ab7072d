"""Versions of registered models in MLflow: the digest of their bytes, promotion by alias, drafts of review requests.

The digest is computed from the file in the registry; a tag that names a digest is a claim and decides nothing.
"""

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.client.feed.verdicts import GateReply
from weighbridge.client.trackers.mlflow import mlflow_client, refusals
from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra

TAG = "weighbridge"
MODEL = re.compile(r"models:/(?P<name>[^/]+)/(?P<version>[0-9]+)")


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a registered model, and the path of its model file inside the version."""

    uri: str
    name: str
    version: str
    path: str

    @property
    def key(self) -> str:
        """The idempotency key of what is done for this version once."""
        return "mlflow-" + hashlib.sha256(f"{self.name}\0{self.version}".encode()).hexdigest()[:32]

    @contextlib.contextmanager
    def file(self) -> Iterator[Path]:
        """Download the version; give the path of its model file. Raises Refused."""
        with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
            with refusals(self.uri):
                source = self._client.get_model_version_download_uri(self.name, self.version)
                artifacts = import_extra("mlflow.artifacts")
                whole = Path(artifacts.download_artifacts(artifact_uri=source, dst_path=folder))
            found = (whole / self.path).resolve()
            if not found.is_relative_to(whole.resolve()) or not found.is_file():
                raise Invalid(f"Version {self.version} of {self.name} has no file {self.path}.", field="path")
            yield found

    @property
    def _client(self) -> Any:
        return mlflow_client(self.uri)

    def promote(self, *, alias: str, environment: str, ask: Callable[[str], GateReply]) -> GateReply:
        """Set the alias and the tags if the gate allows the bytes of the version; return the answer. Raises Refused."""
        with self.file() as file:
            digest = digest_of_file(file)
        reply = ask(digest)
        if reply.is_allowed:
            with refusals(self.uri):
                tags = {"digest": digest, environment: f"allowed until {reply.expires_at}"}
                for name, value in tags.items():
                    self._client.set_model_version_tag(self.name, self.version, f"{TAG}.{name}", value)
                self._client.set_registered_model_alias(self.name, alias, self.version)
        return reply


def registered_version(model: str, *, uri: str, path: str) -> RegisteredVersion:
    """Return the version that MLflow names `models:/NAME/VERSION`; raise Invalid."""
    match = MODEL.fullmatch(model)
    if match is None:
        raise Invalid(f"{model!r} is not a registered version; write models:/NAME/VERSION.", field="model")
    return RegisteredVersion(uri, match["name"], match["version"], path)


def digest_of_file(path: Path) -> str:
    """Return `sha256:...` of the bytes of a file."""
    with path.open("rb") as stream:
        return DIGEST_PREFIX + hashlib.file_digest(stream, "sha256").hexdigest()
