"""Absences: when people are away, who acts in their place, and how far that right goes."""
