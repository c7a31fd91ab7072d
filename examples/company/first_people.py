"""`make run` on an empty database: the people of the demo, so that somebody can log in."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")


def main() -> None:
    """Make the demo's people where there is nobody yet, and say as whom to log in."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.utils import timezone

    from examples.company import cast
    from governance.audit.actions import record as audit

    if not User.objects.exists():
        with audit.origin("command"):
            cast.gather(now=timezone.now())
    if User.objects.filter(username=cast.CAST[0].username).exists():
        names = ", ".join(member.username for member in cast.CAST)
        print(f"Log in as {names}; the password of the demo's people is {cast.PASSWORD}")


if __name__ == "__main__":
    main()
