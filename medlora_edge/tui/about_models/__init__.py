"""To list a model, choose one and measure one, as data and words."""
