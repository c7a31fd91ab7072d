"""Importers: price lists of others, each read into a dated source of its own; a bad row is told and does not stop the
rest.
"""
