"""Fills the database of the recording with its copies."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from django.db import connection, transaction

from examples.history import reading
from examples.history.aging import let_a_year_pass
from examples.history.computed import STATEMENTS, Documents
from examples.history.evaluations import EVALUATIONS, ToldValues
from examples.history.forms import Form, Gaps, Values, row_form
from examples.history.levels import Block, HistoryPlan, Level
from examples.history.reading import RecordedTable, Row
from examples.history.trail import ENTRIES, EVENTS, Chains, EntryForm, EventForm
from examples.history.vocabulary import Vocabulary
from governance.audit.actions import checkpoints
from governance.audit.actions import record as audit
from governance.bills.models import SpendLine
from weighbridge.core.errors import WrongState

BLOCKS_AT_ONCE = 32
LEFT_ALONE = {"auth_permission", "django_content_type", "django_migrations", "jobs_pulse"}
EMPTIED = {"site_answeredpost", "audit_checkpoint", "search_index_searchentry", "bills_monthsum"}
"""Answers that are kept for a week, signatures of the trail that is replaced, and what is made again at the end."""
REQUESTS, LINES, ACCOUNTS = "requests_reviewrequest", "bills_spendline", "budgets_budgetaccount"
CHANGES = "approvals_change"
CHANGED = {"dataset": "runs_dataset", "owner": "inventory_modelasset", "role": "auth_user"}
"""The tables of what a change is about, by its kind; what is not listed is there once."""
Progress = Callable[[float, str], None]


@dataclass
class Forms:
    """The forms of a state of the recording: of each table and level, and of the trail and the feed."""

    rows: dict[tuple[str, Level], Form]
    chained: dict[Level, list[EventForm | EntryForm]]


def fill(*, requests: int, now: datetime, progress: Progress) -> int:
    """Replace the rows of the recording by copies over ten years; return the number of requests.

    The database is that of a recording and of nobody else. Its state stays as it is if anything goes wrong. The user of
    the database must be its superuser: keys and triggers are not asked while rows are copied, but checked afterward.
    """
    with transaction.atomic():
        current = reading.tables(without=LEFT_ALONE | EMPTIED)
        if EVENTS not in current or not current[REQUESTS].rows:
            raise WrongState("There is nothing to copy: load the recording first.")
        ended = _after_a_year(current, now)
        spread = HistoryPlan.of(requests=requests, per_block=len(current[REQUESTS].rows))
        _Filling(current, ended, spread, progress).run()
        _check_keys(current)
        _set_sequences(current)
    with audit.origin("command"):
        checkpoints.sign_head(now=now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return len(spread.blocks) * len(current[REQUESTS].rows)


def _after_a_year(current: dict[str, RecordedTable], now: datetime) -> dict[str, RecordedTable]:
    """The tables as they would be in a year; nothing of it stays."""
    mark = transaction.savepoint()
    let_a_year_pass(now)
    ended = {name: replace(table, rows=reading.rows_of(table)) for name, table in current.items()}
    transaction.savepoint_rollback(mark)
    return ended


class _Filling:
    def __init__(
        self,
        current: dict[str, RecordedTable],
        ended: dict[str, RecordedTable],
        spread: HistoryPlan,
        progress: Progress,
    ) -> None:
        self._tables, self._spread, self._progress = ended, spread, progress
        _join_accounts_of_next_year(ended)
        vocabulary = Vocabulary(ended)
        self._gaps = Gaps(vocabulary, ended, per_block=len(ended[REQUESTS].rows))
        self._chains = Chains(self._gaps, ended)
        self._documents = Documents(self._gaps, current | ended)
        self._told = ToldValues(ended, self._gaps)
        self._current = self._forms(current)
        self._ended = self._forms(ended | {ACCOUNTS: _of_this_year(ended[ACCOUNTS])})
        self._first = {level: spread.first_of(level) for level in Level}

    def run(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
        self._empty()
        written = 0
        for blocks in self._spread.years():
            SpendLine.open_partitions(_months_of(self._tables, blocks[0]))
            for part in _parts(blocks, BLOCKS_AT_ONCE):
                self._write([(block, self._gaps.values(block)) for block in part])
                written += len(part)
                years = part[0].years
                self._progress(written / len(self._spread.blocks), f"{years} years ago" if years else "this year")
            self._chains.write(before=_next_year(blocks[0]))
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = origin")
            cursor.execute("ANALYZE")  # what follows reads full tables, which were empty when they were last counted
            cursor.execute("SELECT search_enter_all(), bills_sum_all()")

    def _empty(self) -> None:
        with connection.cursor() as cursor:
            for name in [*sorted({name for name, _ in self._current.rows}), EVENTS, ENTRIES, *sorted(EMPTIED)]:
                cursor.execute(f'DELETE FROM "{name}"')  # noqa: S608 -- names of the catalog

    def _write(self, copies: Sequence[tuple[Block, Values]]) -> None:
        """Write the rows of some blocks, and those of outer levels whose first block is among them."""
        for table in self._tables.values():
            lines = [line for block, values in copies for line in self._lines(table.name, block, values)]
            if lines:
                columns = ", ".join(f'"{column}"' for column in table.types)
                with (
                    connection.cursor() as cursor,
                    cursor.cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy,
                ):
                    for line in lines:
                        copy.write(line)
        for block, values in copies:
            forms = self._forms_of(block)
            for level in self._levels_of(block):
                self._chains.add(forms.chained[level], values)

    def _lines(self, table: str, block: Block, values: Values) -> Iterator[str]:
        forms = self._forms_of(block)
        for level in self._levels_of(block):
            form = forms.rows.get((table, level))
            if form is not None:
                yield form.filled(values)

    def _forms_of(self, block: Block) -> Forms:
        return self._ended if block.years else self._current

    def _levels_of(self, block: Block) -> list[Level]:
        """The levels whose rows the block writes. What is there once has the values of the original block."""
        original = block.years == block.order == 0
        once = [Level.ONCE] if original else []
        return once + [
            level for level in Level if level and self._first[level][block.copy_of(level)].number == block.number
        ]

    def _forms(self, tables: dict[str, RecordedTable]) -> Forms:
        rows = defaultdict[tuple[str, Level], list[Form]](list)
        for table in tables.values():
            if table.name not in {EVENTS, ENTRIES}:
                for row in table.rows.values():
                    own = self._special(table.name, row)
                    level = self._gaps.vocabulary.level_of(table.name, row)
                    rows[table.name, level].append(row_form(table, row, self._gaps, own))
        joined = {place: Form.joined(forms) for place, forms in rows.items()}
        return Forms(joined, {level: self._chains.forms(tables, level) for level in Level})

    def _special(self, table: str, row: Row) -> dict[str, Form]:
        """The cells of a row that only its table has: what is signed, and keys of which no foreign key tells."""
        if table == STATEMENTS:
            return {"envelope": self._documents.signed(row)}
        if table == EVALUATIONS and row["told"] is not None:
            return {"told": self._told.form(row)}
        if table == CHANGES and (target := CHANGED.get(str(row["kind"]))):
            place = self._gaps.key(target, str(row["subject_id"]))
            return {} if place is None else {"subject_id": Form("%s", (place,))}
        return {}


def _join_accounts_of_next_year(tables: dict[str, RecordedTable]) -> None:
    """What is booked for the year after counts for the same accounts a year before: that year has its own."""
    accounts, entries = tables[ACCOUNTS].rows, tables["budgets_ledgerentry"].rows
    of_this_year = sorted(_of_this_year(tables[ACCOUNTS]).rows.items(), key=lambda pair: str(pair[1]["quarter"]))
    last = {(row["center_id"], row["unit"]): key for key, row in of_this_year}
    kept = {key for key, _ in of_this_year}
    for entry in entries.values():
        if entry["account_id"] not in kept:
            account = accounts[str(entry["account_id"])]
            entry["account_id"] = last[account["center_id"], account["unit"]]


def _of_this_year(accounts: RecordedTable) -> RecordedTable:
    rows = {key: row for key, row in accounts.rows.items() if str(row["quarter"]).startswith("2026")}
    return replace(accounts, rows=rows)


def _months_of(tables: dict[str, RecordedTable], block: Block) -> list[date]:
    months = {date.fromisoformat(str(row["period"])) for row in tables[LINES].rows.values()}
    return [month.replace(year=month.year - block.years) for month in months]


def _next_year(block: Block) -> str:
    """The instant before which nothing of the year after the block's can be, as PostgreSQL writes it."""
    return f"{2026 - block.years + 1}-03-01" if block.years else "9999"


def _parts(blocks: Sequence[Block], size: int) -> Iterator[list[Block]]:
    rest = iter(blocks)
    while part := list(islice(rest, size)):
        yield part


def _check_keys(tables: dict[str, RecordedTable]) -> None:
    """Raise WrongState if a foreign key leads nowhere: none was checked while the rows were copied."""
    with connection.cursor() as cursor:
        for table in tables.values():
            for column, target in table.keys.items():
                cursor.execute(
                    f'SELECT count(*) FROM "{table.name}" a WHERE a."{column}" IS NOT NULL'  # noqa: S608 -- names of the catalog
                    f' AND NOT EXISTS (SELECT FROM "{target}" b WHERE b.id = a."{column}")'
                )
                (lost,) = cursor.fetchone()
                if lost:
                    raise WrongState(f"{lost} rows of {table.name} name rows of {target} that do not exist.")


def _set_sequences(tables: dict[str, RecordedTable]) -> None:
    with connection.cursor() as cursor:
        for name in tables:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [name])
            (sequence,) = cursor.fetchone()
            if sequence is not None:
                cursor.execute(f'SELECT setval(%s, max(id)) FROM "{name}"', [sequence])  # noqa: S608 -- names of the catalog
