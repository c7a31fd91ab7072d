"""What an attacker writes in the place of a name, a number, a day or a document."""

import json

NAMES = (
    "%00",
    "%ED%A0%80",
    "9" * 30,
    "9999-Q4",
    "9999-12-31",
    "a" * 3_000,
    "%E2%80%AE",
    "9" * 5_000,
    "a%00b",
    "%2f",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%FF%FE",
    "%C0%AF",
    "%F0%9F%98%80",
    "a%0Ab",
    "a%0D%0AX:%20y",
    "%25%30%30",
    "'%20OR%201=1%20--",
    "%3Cscript%3E",
    "-1",
    "0",
    "1e5",
    "0001-01-01",
    "0000-00-00",
    "2026-13",
    "2026-Q9",
    "10000-Q1",
    "2026Q0",
    "%D9%A3",
    "None",
    "nan",
)
"""In an address, as it is sent; the worst first."""

TEXTS = (
    "\0",
    "\ud800",
    "9" * 400,
    "9999-12-31",
    "9999-12-31T23:59:59-23:59",
    "9999-Q4",
    "x" * 100_000,
    "1e400",
    "a\0b",
    "\u202e",
    "\U0001f600" * 100,
    "",
    " ",
    "-1",
    "NaN",
    "0001-01-01",
    "0001-01-01T00:00:00+23:59",
    "9999-12",
    "2026-Q9",
    "None",
    "'; --",
)
DEEP_IN = "[" * 90 + "]" * 90
VALUES = (
    *("1e999", "9" * 40, "[]", "{}", '{"\\u0000": 1}', DEEP_IN, '[{"a": [{}]}]', "null"),
    *(json.dumps(text) for text in TEXTS),
    *("true", "0", "-1", "1.5", "1e300", "NaN", "-Infinity"),
    *("-" + "9" * 40, "9" * 60, "[[]]", '["\\u0000"]'),
    json.dumps(list(range(20_000))),
    json.dumps([{}] * 5_000),
)
"""In the place of a value in JSON."""

DEEP, WIDE = "[" * 100_000, json.dumps({f"key {number}": number for number in range(100_000)})
REFUSED = (
    DEEP + "]" * 100_000,
    WIDE,
    '{"a": "' + "x" * 2_600_000 + '"}',
    '{"a": 1, "a": 2}',
    "[]",
    "{",
)
BODIES = (
    *REFUSED,
    "null",
    "",
    DEEP,
    '{"a":' * 100_000 + "1" + "}" * 100_000,
    json.dumps([[]] * 150_000),
    "7",
    '"text"',
    "\0",
    "NaN",
    "9" * 5_000,
)
"""In the place of a document; no door takes one of the first."""
