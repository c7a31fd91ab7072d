"""Reads of the inbox and of reminders."""
