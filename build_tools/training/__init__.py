"""Training: our rows and our checkpoints around a rented loop."""
