"""The program `medlora-build`: one file per command group; it parses arguments and prints."""
