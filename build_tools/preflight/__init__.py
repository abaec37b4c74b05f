"""What can be known before training: how much is trained, whether it fits into memory, whether it can ever ship."""
