"""The price sheets shipped with the package, as YAML; every row has a date and a source."""
