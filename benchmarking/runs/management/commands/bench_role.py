"""Create the database role of benchmark workers, or give it the privileges of this version. Idempotent."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction
from psycopg import sql

from benchmarking.runs.management.bench_role import ROLE, statements

EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = %s"


class Command(BaseCommand):
    """`manage.py bench_role`."""

    help = "Create the database role of benchmark workers with the password WEIGHBRIDGE_BENCH_PASSWORD."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the role if it is missing, set its password and its privileges, and print its name."""
        password = settings.WEIGHBRIDGE["BENCH_PASSWORD"]
        if not password:
            raise CommandError("Set WEIGHBRIDGE_BENCH_PASSWORD to the password that benchmark workers will use.")
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(EXISTS, [ROLE])
                verb = "ALTER" if cursor.fetchone() else "CREATE"
                named, literal = sql.Identifier(ROLE), sql.Literal(password)
                words = sql.SQL(verb) + sql.SQL(" ROLE {} LOGIN NOINHERIT PASSWORD {}").format(named, literal)
                cursor.execute(words)
                for statement in statements(database=connection.settings_dict["NAME"]):
                    cursor.execute(statement)
        except ProgrammingError as error:
            raise CommandError(f"This account of the database may not create roles: {error}") from error
        self.stdout.write(f"Benchmark workers can use the role {ROLE}.")
