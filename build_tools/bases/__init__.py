"""The models that training starts from: found, fetched or made, and counted before their weights are there."""
