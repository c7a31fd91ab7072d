"""Sheets for people: HTML, Markdown and PDF."""
