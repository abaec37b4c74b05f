"""The terminal chat app: a screen that draws the session's events."""
