"""A model's Markdown as text on the screen: nothing in it acts, loads or steers."""

from medlora_edge.tui.markdown.growing import Growing, whole
from medlora_edge.tui.markdown.page import Page
from medlora_edge.tui.markdown.rows import Row

__all__ = ["Growing", "Page", "Row", "whole"]
