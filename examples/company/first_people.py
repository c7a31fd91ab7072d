"""`make run` on an empty database: create the users of the demo, so that somebody can log in."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")


def main() -> None:
    """Create the users of the demo if there are no users, and print how to log in."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.utils import timezone

    from examples.company import users
    from governance.audit.actions import record as audit

    if not User.objects.exists():
        with audit.origin("command"):
            users.create_users(now=timezone.now())
    if User.objects.filter(username=users.MEMBERS[0].username).exists():
        names = ", ".join(member.username for member in users.MEMBERS)
        print(f"Log in as {names}; the password of all demo users is {users.PASSWORD}")


if __name__ == "__main__":
    main()
