"""What differs between two copies: keys, digests, references, dates and names, wherever they stand in a text."""

import re
from dataclasses import dataclass
from functools import cached_property

from examples.history.levels import Level
from examples.history.reading import RecordedTable, Row

OF_TABLES = {
    "rulebook_policyversion": Level.ONCE,
    "rulebook_checklistversion": Level.ONCE,
    "rulebook_catalogversion": Level.ONCE,
    "bills_allocationversion": Level.ONCE,
    "bills_allocationrule": Level.ONCE,
    "tickets_ticketsite": Level.ONCE,
    "approvals_change": Level.ONCE,
    "people_apitoken": Level.ONCE,
    "people_team": Level.DIVISION,
    "runs_dataset": Level.DIVISION,
    "quarterly_reviewcycle": Level.YEAR,
    "quarterly_cyclepacket": Level.YEAR,
    "quarterly_renderedsection": Level.YEAR,
    "bills_bill": Level.YEAR,
    "bills_billslice": Level.YEAR,
    "bills_spendline": Level.YEAR,
    "inventory_modelasset": Level.BRANCH,
    "inventory_modelversion": Level.BLOCK,
    "requests_reviewrequest": Level.BLOCK,
    "projections_costprojection": Level.BLOCK,
    "runs_run": Level.BLOCK,
    "jobs_outboxmessage": Level.BLOCK,
    "findings_finding": Level.BLOCK,
    "budgets_ledgerentry": Level.BLOCK,
    "quarterly_agendaitem": Level.BLOCK,
}
"""The level of all rows of a table. The level of any other row is that of the innermost thing it names."""
NAMES = {
    "auth_user": ("username",),
    "people_team": ("slug", "name"),
    "budgets_costcenter": ("slug", "name"),
    "runs_dataset": ("name",),
    "inventory_modelasset": ("slug", "name"),
}
"""Columns whose values are names: a copy has the name with a number."""
ROLES = {"requester", "owner"}
"""Names of people of the recording that are words of the product, too."""
NUMBERS = {
    "runs_run": (
        r"\brun ",
        r'"run": ?',
        r'"run_id": ?"?',
        r"run\.finished:",
        r"\brun:",
        r'"id": ?(?=\d+, ?"(?:state|result)")',
    ),
    "findings_finding": (r"FND-",),
    "inventory_modelversion": (r'"version_id": ?',),
    "budgets_budgetaccount": (r"budget\.overrun:", r"\bbudget:"),
    "feed_feedentry": (r'"position": ?(?=\d+, ?"(?:standing|root)")',),
}
"""What stands before the key of a row in a text."""
KEPT = (
    ("evidence_attestedstatement", "key_digest"),
    ("evidence_checklistanswer", "file_digest"),
    ("evidence_importedfile", "file_digest"),
    ("packets_packet", "pdf_digest"),
    ("quarterly_cyclepacket", "pdf_digest"),
)
"""Digests that copies keep: of keys, and of files that are there once."""
CHAINED = {"audit_auditevent": {"previous_hash", "hash"}, "feed_feedentry": {"root", "nodes"}}
"""Columns that are computed from the rows before. They say nothing about the level of a row."""


@dataclass(frozen=True)
class FoundPlace:
    """A place in a text: what stands there, and what kind of thing it is."""

    kind: str
    text: str
    start: int
    end: int
    table: str = ""


class Vocabulary:
    """Finds what differs between copies, and knows the level of each row and of each digest and name."""

    def __init__(self, tables: dict[str, RecordedTable]) -> None:
        self._tables = tables
        self._levels: dict[tuple[str, str], Level] = {}
        self._found: dict[str, list[FoundPlace]] = {}
        self.names = dict(self._read_names())
        self.digests = self._levels_of_digests()

    def find(self, text: str) -> list[FoundPlace]:
        """Everything in the text that differs between copies, in its order."""
        if text not in self._found:
            self._found[text] = [found for match in self._pattern.finditer(text) if (found := self._read(match))]
        return self._found[text]

    def level_of(self, table: str, row: Row) -> Level:
        """The level of a row."""
        place = (table, str(row["id"]))
        if place not in self._levels:
            self._levels[place] = Level.ONCE  # a row that names itself is not asked again
            self._levels[place] = self._level(self._tables[table], row)
        return self._levels[place]

    def level_of_place(self, found: FoundPlace) -> Level:
        """The level of what was found in a text; dates have none of their own."""
        match found.kind:
            case "digest":
                return self.digests.get(found.text, Level.BLOCK)
            case "reference" | "action":
                return Level.BLOCK
            case "name":
                return self.names[found.text]
            case "number":
                return self.level_of(found.table, self._tables[found.table].rows[found.text])
        return Level.ONCE

    def _level(self, table: RecordedTable, row: Row) -> Level:
        if table.name in OF_TABLES:
            return OF_TABLES[table.name]
        if table.name == "auth_user":
            return self._level_of_person(str(row["id"]))
        if table.name == "budgets_costcenter":
            return Level.DIVISION if row["parent_id"] else Level.ONCE
        if table.name == "budgets_budgetaccount":
            center = self._tables["budgets_costcenter"].rows[str(row["center_id"])]
            return Level.BRANCH if self.level_of("budgets_costcenter", center) else Level.YEAR
        named = [
            self.level_of(target, self._tables[target].rows[key])
            for column, target in table.keys.items()
            if (key := row[column]) and target in self._tables
        ]
        texts = [text for column, text in row.items() if text and column not in CHAINED.get(table.name, ())]
        written = [self.level_of_place(found) for text in texts for found in self.find(text)]
        return max([Level.ONCE, *named, *written])

    def _level_of_person(self, key: str) -> Level:
        """People with a role in a team belong to the division of the team; the others are there once."""
        grants = [row for row in self._tables["people_rolegrant"].rows.values() if row["user_id"] == key]
        return Level.DIVISION if any(row["team_id"] for row in grants) else Level.ONCE

    def _read_names(self) -> list[tuple[str, Level]]:
        found = []
        for name, columns in NAMES.items():
            for row in self._tables[name].rows.values():
                level = self.level_of(name, row)
                texts = {str(row[column]) for column in columns} - ROLES
                found += [(text, level) for text in texts if level]
        return sorted(found, key=lambda pair: len(pair[0]))

    def _levels_of_digests(self) -> dict[str, Level]:
        """The outermost level at which a digest is written; what is not listed belongs to a block."""
        found: dict[str, Level] = {}
        for name, level in OF_TABLES.items():
            if level in {Level.ONCE, Level.DIVISION, Level.YEAR}:
                texts = [text for row in self._tables[name].rows.values() for text in row.values() if text]
                for digest in {hex_ for text in texts for hex_ in DIGEST.findall(text)}:
                    found[digest] = min(level, found.get(digest, Level.BLOCK))
        kept = {digest for table, column in KEPT for digest in self._digests_in(table, column)}
        artifacts = self._digests_in("inventory_modelversion", "digest")
        return found | dict.fromkeys(kept, Level.ONCE) | dict.fromkeys(artifacts, Level.BLOCK)

    def _digests_in(self, table: str, column: str) -> set[str]:
        return {hex_ for row in self._tables[table].rows.values() for hex_ in DIGEST.findall(str(row[column]))}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.names, key=len, reverse=True)
        numbers = [
            rf"(?P<{table}_{place}>(?:{before})\d+)"
            for table, befores in NUMBERS.items()
            for place, before in enumerate(befores)
        ]
        names = rf'(?:(?<=[/" :(@])|^)(?P<name>{"|".join(map(re.escape, longest_first))})(?=[/" ,:.)@]|$)'
        return re.compile("|".join([PLACES, *numbers, names]))

    def _read(self, match: re.Match[str]) -> FoundPlace | None:
        kind, text = str(match.lastgroup), match[0]
        if kind in {"digest", "reference", "action", "moment", "day", "month", "quarter", "name"}:
            return FoundPlace(kind, text, match.start(), match.end())
        table = kind.rpartition("_")[0]
        key = re.findall(r"\d+", text)[-1]
        if key not in self._tables[table].rows:
            return None
        return FoundPlace("number", key, match.end() - len(key), match.end(), table)


DIGEST = re.compile(r"(?<![\w/])[0-9a-f]{64}(?!\w)")
PLACES = r"|".join(
    [
        r"(?P<digest>(?<![\w/])[0-9a-f]{64}(?!\w))",
        r"(?P<reference>(?:MRR|AUT|mrr|aut)-\d{4}-\d{4,})",
        r"(?P<action>(?:ACT|act)-\d{4}[Qq][1-4]-\d\d)",
        r"(?P<moment>(?<![\w.-])20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00|\+00)?)",
        r"(?P<day>(?<![\w.-])20\d\d-\d\d-\d\d(?![\w-]))",
        r"(?P<quarter>(?<![\w.-])20\d\dQ[1-4])",
        r"(?P<month>(?<![\w.-])20\d\d-(?:0[1-9]|1[0-2])(?![\w-]))",
    ]
)
