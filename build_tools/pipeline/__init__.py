"""The chain from a recipe to a GGUF: steps that are done once, recorded, and checked again."""
