"""Tables that leave as CSV or XLSX files."""
