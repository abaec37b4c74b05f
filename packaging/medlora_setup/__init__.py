"""Verifies, installs, upgrades and removes the app on a machine without a network; the standard library alone."""
