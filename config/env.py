"""The only module that reads environment variables. Each has a name, a type, a default and a meaning.

They are listed in `config.settings.variables`, from which `docs/reference/settings.md` is generated.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import environs
from environs import validate

from config.settings.variables import VARIABLES, Variable
from weighbridge.core import masking
from weighbridge.core.errors import Invalid
from weighbridge.load.target import permission_from

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")


_BY_NAME: Mapping[str, Variable] = {variable.name: variable for variable in VARIABLES}
_ENVIRONMENT = environs.Env()


class MissingVariable(SystemExit):
    """A variable is unset and has no default, or has an invalid value. The message says what to do."""


def text(name: str, default: str | None = None) -> str:
    """The value of `name`, or its default. Exits with a message if it has neither."""
    return _read(_ENVIRONMENT.str, name, default)


def flag(name: str) -> bool:
    """True for yes, true, on and 1; False for their opposites and when unset. Exits with a message otherwise."""
    return _read(_ENVIRONMENT.bool, name, False)


def number(name: str, *, is_required: bool = False, most: int | None = None) -> int:
    """A whole number of at most `most`. Exits with a message for other values, and if a required one is unset."""
    parse = partial(_ENVIRONMENT.int, validate=validate.Range(min=0, max=most))
    return _read(parse, name, None if is_required else int(_BY_NAME[name].default))


def numbers(name: str) -> list[int]:
    """The whole numbers of a comma-separated list, or the default. Exits with a message for other values."""
    parse = partial(
        _ENVIRONMENT.list, subcast=int, validate=lambda found: [validate.Range(min=0)(one) for one in found]
    )
    return _read(parse, name, [int(part) for part in _BY_NAME[name].default.split(",")])


def names(name: str, default: list[str] | None = None) -> list[str]:
    """The parts of a comma-separated list, or the default. Exits with a message if it has neither."""
    return [part for part in _read(_ENVIRONMENT.list, name, default) if part.strip()]


def hosts(name: str, *, need_network: bool = False) -> list[str]:
    """The parts of a list of `HOST=NETWORK`, or of `HOST` alone; none by default. Exits with a message otherwise."""
    found = names(name, [])
    try:
        lacking = [part for part in found if not permission_from(part).networks and need_network]
    except Invalid as refusal:
        raise _refused(name, refusal.reason) from refusal
    if lacking:
        raise _refused(name, f"{lacking[0].strip()!r} names no network.")
    return found


def _read(parse: Callable[[str], Any], name: str, default: T | None) -> T:
    """The parsed value of the variable. An empty variable counts as unset."""
    variable, value = _BY_NAME[name], os.environ.get(name, "")
    if not value:
        if default is None:
            raise MissingVariable(f"{name} is not set. {variable.meaning} Set it in the environment and start again.")
        return default
    _register_secrets(variable.kind, value)
    try:
        return cast("T", parse(name))
    except environs.EnvValidationError as error:
        raise _refused(name, " ".join(map(str, error.error_messages))) from error


def _refused(name: str, why: str) -> MissingVariable:
    kind = _BY_NAME[name].kind
    return MissingVariable(f"{name} must be: {kind}. {why} Correct it in the environment and start again.")


def _register_secrets(kind: str, value: str) -> None:
    """Register secret values, so that they are masked in logs and messages from now on."""
    if kind == "secret":
        masking.hide_secrets(value, *value.split(","))
    if kind == "URL":
        masking.hide_url_password(value)


def set_polars_cache_size() -> None:
    """Set the size of the hot table of Polars, which reads it at import.

    Bills are ordered by time, so neighboring rows seldom share a group. With the default of a few thousand recent
    groups, nearly every row would evict another group, and evicted groups use up to gigabytes.
    """
    os.environ.setdefault("POLARS_HOT_TABLE_SIZE", str(2**17))


def keep_files_private() -> None:
    """Make files of this process and of its children accessible only to their owner."""
    os.umask(0o077)


def var_folder() -> Path:
    """The folder of run-time files; created if missing."""
    # Data must not be written into the folder of installed packages.
    home = ROOT if (ROOT / "manage.py").exists() else Path.cwd()
    path = Path(text("WEIGHBRIDGE_VAR", str(home / "var"))).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
