"""Builds and signs the bundle that installs the app on a machine without a network."""
