"""Reads of ticket sites, their settings, and the texts and values of tickets."""
