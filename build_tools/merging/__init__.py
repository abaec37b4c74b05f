"""Adapters become part of the weights of their base, checked before and after."""
