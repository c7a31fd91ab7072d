"""The ground floor: people, policy, money, audit and effects, true for every request; and the Django project."""
