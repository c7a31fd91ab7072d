"""Where the architecture of a language model is read from: a `config.json`, a folder with one, or a GGUF file."""

from pathlib import Path

from weighbridge.core.errors import Invalid
from weighbridge.subjects.deployment.architecture import LanguageModel
from weighbridge.subjects.deployment.config_file import CONFIG, read_config
from weighbridge.subjects.deployment.gguf_file import read_gguf_model


def read_model(path: Path) -> LanguageModel:
    """Return the model of a file or folder; raise Invalid for another one, naming what to give."""
    if path.is_dir():
        if not (path / CONFIG).is_file():
            text = f"{path} has no {CONFIG}; give the folder of a model of Hugging Face, or a .gguf file."
            raise Invalid(text, code="model_missing", field="model")
        return read_config(path / CONFIG)
    if not path.is_file():
        raise Invalid(f"There is no file {path}.", code="model_missing", field="model")
    if path.suffix.lower() == ".gguf":
        return read_gguf_model(path)
    if path.suffix.lower() == ".json":
        return read_config(path)
    text = f"{path.name} is neither a {CONFIG} nor a .gguf file; give one of these, or a folder with a {CONFIG}."
    raise Invalid(text, code="model_form", field="model")
