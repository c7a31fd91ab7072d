"""Notifications: messages about what happened, on the page, by mail, in team chats and by signed webhooks."""
