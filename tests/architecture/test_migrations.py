"""In an upgrade, an index of a table that has rows is built, and dropped, while others write."""

from django.db.migrations import AddIndex, CreateModel, RemoveIndex
from django.db.migrations.loader import MigrationLoader

from tests.architecture.tree import ROOT

OURS = ("governance.", "benchmarking.", "reviews.")


def test_an_index_of_an_existing_table_is_built_beside_those_who_write() -> None:
    later = {
        name: migration
        for name, migration in MigrationLoader(None).disk_migrations.items()
        if type(migration).__module__.startswith(OURS) and not migration.initial
    }
    assert len(later) > 10
    for name, migration in later.items():
        created = {each.name_lower for each in migration.operations if isinstance(each, CreateModel)}
        for operation in migration.operations:
            if type(operation) in {AddIndex, RemoveIndex}:
                assert operation.model_name_lower in created, f"{name}: {operation.describe()}, but not concurrently."


def test_no_statement_of_a_later_migration_builds_an_index() -> None:
    for path in ROOT.glob("*/**/migrations/0*.py"):
        if path.relative_to(ROOT).parts[0] in {each.rstrip(".") for each in OURS} and not path.name.startswith("0001"):
            assert "CREATE INDEX" not in path.read_text().upper().replace("CREATE UNIQUE", "CREATE"), (
                f"{path}: use AddIndexConcurrently."
            )
