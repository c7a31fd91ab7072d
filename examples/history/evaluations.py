"""What a policy evaluation tells of the metric values that counted: their keys stand in a document."""

import json
from collections import defaultdict

from examples.history.forms import Form, Gaps, parsed, text_form
from examples.history.reading import RecordedTable, Row

EVALUATIONS, RECORDS = "evidence_policyevaluation", "evidence_metricrecord"


class ToldValues:
    """The documents of evaluations with the keys of the copied metric values."""

    def __init__(self, tables: dict[str, RecordedTable], gaps: Gaps) -> None:
        self._gaps = gaps
        self._of_request = defaultdict[str | None, list[int]](list)
        for key, row in tables[RECORDS].rows.items():
            self._of_request[row["request_id"]].append(int(key))

    def form(self, row: Row) -> Form:
        """The form of the column `told` of an evaluation."""
        told = parsed(row["told"])
        newest, binding = told.pop("metric_values_to"), told.pop("binding_values")
        level = self._gaps.vocabulary.level_of(EVALUATIONS, row)
        # Copies keep the order of the keys of a request, so the newest that counted then is the newest now.
        counted = [key for key in self._of_request[row["request_id"]] if key <= newest]
        return Form.joined(
            [
                text_form(json.dumps(told, ensure_ascii=False)[:-1], level, self._gaps),
                Form(', "metric_values_to": ', ()),
                self._key(max(counted)) if counted else Form("0", ()),
                Form(', "binding_values": [', ()),
                *[form for key in binding for form in (Form(",", ()), self._key(key))][1:],
                Form("]}", ()),
            ]
        )

    def _key(self, key: int) -> Form:
        place = self._gaps.key(RECORDS, str(key))
        return Form(str(key), ()) if place is None else Form("%s", (place,))
