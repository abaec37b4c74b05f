"""From the recipe's data to rows of tokens with labels: read, refuse test items, hold out, tokenise, mask, pack."""
