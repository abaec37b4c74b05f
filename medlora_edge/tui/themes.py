"""Dark, light and high-contrast colours. Every text colour has at least 4.5 : 1 against what it stands on."""

from textual.theme import Theme

DARK = Theme(
    name="dark",
    primary="#7cc4ff",
    secondary="#9aa7b4",
    accent="#ffd479",
    warning="#ffd479",
    error="#ff9a9a",
    success="#8fdc9b",
    foreground="#e6e9ec",
    background="#14181c",
    surface="#14181c",
    panel="#252c33",
    dark=True,
    variables={"footer-key-foreground": "#7cc4ff", "quiet": "#9fabb7", "input-selection-background": "#3a5a78"},
)
LIGHT = Theme(
    name="light",
    primary="#00508a",
    secondary="#4a5560",
    accent="#7a4b00",
    warning="#7a4b00",
    error="#a3132a",
    success="#14652a",
    foreground="#16191c",
    background="#fbfbf9",
    surface="#fbfbf9",
    panel="#e6e9ec",
    dark=False,
    variables={"footer-key-foreground": "#00508a", "quiet": "#4f5963", "input-selection-background": "#b5d5f0"},
)
HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#ffffff",
    accent="#00ffff",
    warning="#ffff00",
    error="#ff9090",
    success="#00ff66",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={"footer-key-foreground": "#ffff00", "quiet": "#ffffff", "input-selection-background": "#0050ff"},
)
THEMES = (DARK, LIGHT, HIGH_CONTRAST)
