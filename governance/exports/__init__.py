"""Exports of tables as CSV and XLSX files."""
