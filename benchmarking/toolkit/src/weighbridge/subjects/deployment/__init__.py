"""Language models as they are deployed: architecture, memory, accelerators, and the kind `deployment` of subject."""
