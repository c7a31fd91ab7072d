"""Documents about a model that other tools read: bills of materials and model cards."""
