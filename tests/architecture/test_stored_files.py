"""Stored files have one door: whatever opens the storage elsewhere reads bytes that nobody hashed."""

import ast

import pytest

from tests.architecture.tree import APPS, imports, name_of, parsed, sources

STORAGE = "django.core.files.storage"
KEEPS = {"governance/inventory/actions/artifacts.py", "governance/inventory/actions/stored_files.py"}
# They copy whole folders, and test whether the storage can be written; neither uses the content of a file.
OPERATES = {"governance/operations/management/backup_format.py", "governance/operations/web/health.py"}
# The storage itself.
IS_ONE = {"config/artifact_storage/folder.py"}
# Fields and answers of Django that open a file of a storage by its name.
FIELDS = {"FileField", "ImageField", "FilePathField", "FieldFile"}


def storage_fields(tree: ast.AST) -> list[str]:
    """Model fields that hold a file of the storage; `forms.FileField` and `serializers.FileField` are uploads."""
    return [
        f"models.{node.attr} in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in FIELDS
        and isinstance(node.value, ast.Name)
        and node.value.id == "models"
    ]


def reads_the_storage(tree: ast.AST) -> bool:
    return any(f"{name}.".startswith(f"{STORAGE}.") for name, _ in imports(tree))


@pytest.mark.parametrize(
    "line",
    [
        "from django.core.files.storage import storages",
        "from django.core.files.storage import default_storage",
        "import django.core.files.storage",
    ],
)
def test_another_door_is_seen(line: str) -> None:
    assert reads_the_storage(ast.parse(line))
    assert not reads_the_storage(ast.parse("from django.core.files.base import ContentFile"))
    assert storage_fields(ast.parse("file = models.FileField()")) == ["models.FileField in line 1"]


def test_only_one_place_opens_stored_files() -> None:
    files = sources("config", *APPS, "examples")
    assert {name_of(path) for path in files if reads_the_storage(parsed(path))} == KEEPS | OPERATES | IS_ONE
    assert [name_of(path) for path in files if storage_fields(parsed(path))] == []
