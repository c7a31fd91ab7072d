"""The conditions under which a model is measured."""
