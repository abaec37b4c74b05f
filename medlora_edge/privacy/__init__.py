"""What may leave the app for the terminal."""

from medlora_edge.privacy.terminal import clean

__all__ = ["clean"]
