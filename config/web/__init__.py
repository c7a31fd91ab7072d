"""The web process: the settings of gunicorn, and threads that stay free while pages hang."""
