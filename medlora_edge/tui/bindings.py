"""Every key of the app, in one place: what F1 and the footer show is read from here through the live bindings."""

from textual.binding import Binding, BindingType

APP_KEYS: list[BindingType] = [
    Binding("escape", "escape", "Stop / back", show=False),
    Binding("ctrl+c", "interrupt", "Copy / stop / quit", show=False, priority=True),
    Binding("ctrl+d", "end_of_file", "Quit (empty prompt)", show=False, priority=True),
    Binding("ctrl+q", "ask_quit", "Quit", priority=True),
    Binding("f1", "help", "Help"),
    Binding("ctrl+p", "command_palette", "Palette", priority=True),
]
OVERLAY_KEYS: list[BindingType] = [Binding("escape", "app.escape", "Close")]  # an overlay hides the app's own
CHAT_KEYS: list[BindingType] = [
    Binding("escape", "stop", "Stop"),
    Binding("shift+tab", "next_mode", "Mode"),
    Binding("ctrl+n", "new_chat", "New chat", show=False),
    Binding("pageup", "scroll_chat('page_up')", "Page up", show=False),
    Binding("pagedown", "scroll_chat('page_down')", "Page down", show=False),
    Binding("shift+up", "scroll_chat('up')", "Line up", show=False),
    Binding("shift+down", "scroll_chat('down')", "Line down", show=False),
    Binding("ctrl+home", "scroll_chat('home')", "To the beginning of the chat", show=False),
    Binding("ctrl+end", "scroll_chat('end')", "To the end of the chat, and follow it", show=False),
    Binding("alt+up", "walk(-1)", "To the turn before", show=False),
    Binding("alt+down", "walk(1)", "To the next turn", show=False),
]
PROMPT_KEYS: list[BindingType] = [
    Binding("enter", "send", "Send"),
    Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", show=False),
    Binding("pageup", "screen.scroll_chat('page_up')", "Chat: page up", show=False),
    Binding("pagedown", "screen.scroll_chat('page_down')", "Chat: page down", show=False),
    Binding("shift+up", "screen.scroll_chat('up')", "Chat: line up", show=False),
    Binding("shift+down", "screen.scroll_chat('down')", "Chat: line down", show=False),
    Binding("alt+b", "cursor_word_left", "Cursor word left", show=False),
    Binding("alt+f", "cursor_word_right", "Cursor word right", show=False),
]
TURN_KEYS: list[BindingType] = [
    Binding("y,c", "wish('copy')", "Copy"),
    Binding("e", "wish('edit')", "Edit"),
    Binding("r", "wish('retry')", "Retry"),
    Binding("k", "screen.walk(-1)", "Up", show=False),
    Binding("j", "screen.walk(1)", "Down", show=False),
    Binding("g", "screen.scroll_chat('home')", "To the beginning", show=False),
    Binding("G", "screen.scroll_chat('end')", "To the end", show=False),
]
