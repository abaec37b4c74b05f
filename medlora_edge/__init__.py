"""Clinical question answering that runs entirely on a laptop, and measures itself there."""

__version__ = "0.1.0"
