"""How the web process is run: the settings of gunicorn, and threads that hanging pages leave free."""
