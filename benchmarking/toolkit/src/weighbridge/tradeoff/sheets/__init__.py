"""Printable sheets in HTML, Markdown and PDF."""
