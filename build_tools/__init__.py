"""From an open model and medical text to a measured Q3_K_L GGUF: data, QLoRA, merge, GGUF, quantise, gates."""
