"""Security of user accounts: login, second factors, sessions, and notifications of owners."""
