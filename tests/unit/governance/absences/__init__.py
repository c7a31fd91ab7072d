"""Tests of the pure rules of absences."""
