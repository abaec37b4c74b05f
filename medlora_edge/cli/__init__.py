"""The command line: parses arguments, prints, and holds no logic of its own."""
