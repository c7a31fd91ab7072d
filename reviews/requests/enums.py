"""Fixed sets of values stored in the database. Changing one needs a migration."""

ENVIRONMENTS = [("prod", "Production"), ("staging", "Staging"), ("dev", "Development")]
ENVIRONMENT_NAMES = tuple(name for name, _ in ENVIRONMENTS)
REJECTED = "rejected"
OUTCOMES = [
    ("approved", "Approved"),
    ("approved_with_conditions", "Approved with conditions"),
    (REJECTED, "Rejected"),
]
