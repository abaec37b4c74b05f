"""Measurements of speed and memory, and the random models they run on; each is runnable alone."""
