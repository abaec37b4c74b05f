"""Which keys there are, and what Esc and Ctrl+C do by what the app is at."""
