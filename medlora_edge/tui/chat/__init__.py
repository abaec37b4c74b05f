"""A chat as data: its turns, notes and modes, and the status line."""
