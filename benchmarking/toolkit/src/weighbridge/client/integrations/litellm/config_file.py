"""Read the configuration file of a LiteLLM gateway."""

from pathlib import Path

import yaml

from weighbridge.core.errors import Invalid


def read_config(path: Path) -> object:
    """Return the parsed configuration; raise Invalid."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise Invalid(f"{path} cannot be read as YAML.", code="file_unreadable") from error
