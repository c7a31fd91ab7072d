"""Tests of the pure rules of reminders."""
