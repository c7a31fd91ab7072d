"""Writes of absences."""
