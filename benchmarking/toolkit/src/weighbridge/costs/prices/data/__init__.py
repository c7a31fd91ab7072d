"""The price sheets that the package ships, as YAML; every row has its date and its source."""
