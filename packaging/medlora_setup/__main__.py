"""Runs `python -m medlora_setup`."""

from medlora_setup.cli import main

main()
