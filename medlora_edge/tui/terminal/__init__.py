"""Bytes in and out of the terminal."""
