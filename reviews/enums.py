"""Closed vocabularies stored in the database; changing one needs a migration."""
