"""From a Hugging Face model folder to a quantised GGUF, with a gate on every hop."""
