"""Systems under test: one module for each kind of thing that can be measured, in a registry."""
