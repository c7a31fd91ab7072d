"""The draft of a review request for a registered version."""

import tempfile
from pathlib import Path

import yaml

from weighbridge.client.request_file import RequestFile, read_request_file
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.yaml_text import read_yaml


def request_of(path: Path, *, file: Path, version: str) -> RequestFile:
    """Return the request of a YAML file for the model file of a version, as a draft; raise Invalid."""
    document = read_yaml(path, code="file_unreadable", missing="file_unreadable")
    model = document.get("model") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(model, dict):
        raise Invalid(f"{path} must be a review request with a mapping `model`.", field="model")
    model = {key: value for key, value in model.items() if key not in {"uri", "sha256"}}
    document |= {"model": {**model, "version": version, "file": str(file)}, "submit": False}
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.") as filled:
        yaml.safe_dump(document, filled, allow_unicode=True)
        filled.flush()
        return read_request_file(Path(filled.name))
