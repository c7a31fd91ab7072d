"""The role of the database for benchmark workers, which run other people's models: what it may read and write."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Model

from benchmarking.runs.models import Dataset, Run, SandboxChoice
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset, ModelVersion
from governance.jobs.models import OutboxMessage, Pulse
from governance.people.models import RoleGrant, Team

ROLE = "weighbridge_bench"


@dataclass(frozen=True)
class Grant:
    """What the role may do with a table: privileges by column ("" for all columns), and the rows it may touch."""

    model: type[Model]
    privileges: tuple[tuple[str, str], ...] = (("SELECT", ""),)
    rows: str = ""

    @property
    def table(self) -> str:
        """The name of the table."""
        return self.model._meta.db_table  # noqa: SLF001 -- Django documents it


WRITTEN = (
    "state, attempts, fence, lease_until, next_attempt_at, error, finished_at, progress, phase, result, result_digest,"
    " verdict, equivalence"
)
PERSON = "id, username, first_name, last_name, email, is_active, is_staff, is_superuser, date_joined, last_login"
GRANTS = (
    Grant(Run, (("SELECT", ""), ("UPDATE", WRITTEN))),
    Grant(Dataset),
    Grant(SandboxChoice),
    Grant(ModelVersion),
    Grant(ModelAsset),
    Grant(Team),
    Grant(RoleGrant),
    Grant(User, (("SELECT", PERSON),)),
    # The end of a run is announced to its request and recorded in the trail; the trail itself is not readable.
    Grant(OutboxMessage, (("SELECT", ""), ("INSERT", "")), rows="kind = 'run.finished'"),
    Grant(AuditEvent, (("SELECT", "id, position, hash"), ("INSERT", ""))),
    Grant(Pulse, (("SELECT, INSERT, UPDATE, DELETE", ""),), rows="name LIKE 'queue:bench.%'"),
)


def statements(*, database: str) -> Iterator[str]:
    """SQL that gives the role exactly these privileges, whatever it had before. The role exists."""
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}"
    yield f'GRANT CONNECT ON DATABASE "{database}" TO {ROLE}'
    yield f"GRANT USAGE ON SCHEMA public TO {ROLE}"
    for grant in GRANTS:
        table = grant.table
        for privilege, columns in grant.privileges:
            yield f"GRANT {privilege} {f'({columns})' if columns else ''} ON {table} TO {ROLE}"
        if grant.rows:
            yield from _limited_to(table, grant.rows)


def _limited_to(table: str, rows: str) -> Iterator[str]:
    """Everybody keeps all rows, except that the role touches only these."""
    yield f"DROP POLICY IF EXISTS everybody ON {table}"
    yield f"DROP POLICY IF EXISTS bench ON {table}"
    yield f"CREATE POLICY everybody ON {table} USING (true) WITH CHECK (true)"
    yield f"CREATE POLICY bench ON {table} AS RESTRICTIVE TO {ROLE} USING ({rows}) WITH CHECK ({rows})"
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
