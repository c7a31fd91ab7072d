"""Rules of the site that know no framework."""
