"""Read the configuration file of a LiteLLM gateway."""

from pathlib import Path

from weighbridge.core.parsing.yaml_text import read_yaml


def read_config(path: Path) -> object:
    """Return the parsed configuration; raise Invalid."""
    return read_yaml(path, code="file_unreadable", missing="file_unreadable")
