"""Pure rules of previews."""
