"""Reminders of what lapses, and escalation to the next people in line."""
