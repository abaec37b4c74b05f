"""Every key of the app, in one place: what F1 and the footer show is read from here through the live bindings."""

from textual.binding import Binding, BindingType

APP_KEYS: list[BindingType] = [
    Binding("escape", "escape", "Stop / back", show=False),
    Binding("ctrl+c", "interrupt", "Copy / stop / quit", show=False, priority=True),
    Binding("ctrl+d", "end_of_file", "Quit (empty prompt)", show=False, priority=True),
    Binding("ctrl+q", "ask_quit", "Quit", priority=True),
    Binding("f1", "help", "Help"),
    Binding("f3", "keep_chats", "Keep chats"),
    Binding("f4", "models", "Models"),
    Binding("f5", "bench", "Bench"),
    Binding("ctrl+l", "lock", "Lock"),
    Binding("ctrl+p", "command_palette", "Palette", priority=True),
]
LEFT_OUT_FIRST = ("ask_quit", "bench", "models", "lock", "keep_chats")  # where the bottom line has no room for all
LOCK_KEY = Binding("ctrl+l", "app.lock", "Lock", show=False)
OVERLAY_KEYS: list[BindingType] = [Binding("escape", "app.escape", "Close"), LOCK_KEY]  # the app's own are hidden
LIST_PAGE_KEYS: list[BindingType] = [*OVERLAY_KEYS, Binding("f1", "app.help", "Help", show=False)]
KEEP_KEYS: list[BindingType] = [Binding("escape", "close", "Close"), LOCK_KEY]
UNLOCK_KEYS: list[BindingType] = [
    Binding("escape", "back", "Passphrase", show=False),
    Binding("f3", "recovery_code", "Recovery code"),
    Binding("f6", "private", "Not saved, this time"),
]
CHAT_KEYS: list[BindingType] = [
    Binding("escape", "stop", "Stop"),
    Binding("shift+tab", "next_mode", "Mode"),
    Binding("ctrl+n", "new_chat", "New chat", show=False),
    Binding("ctrl+r", "app.history", "Chats: search, open, rename, erase", show=False),
    Binding("pageup", "scroll_chat('page_up')", "Page up", show=False),
    Binding("pagedown", "scroll_chat('page_down')", "Page down", show=False),
    Binding("shift+up", "scroll_chat('up')", "Line up", show=False),
    Binding("shift+down", "scroll_chat('down')", "Line down", show=False),
    Binding("ctrl+home", "scroll_chat('home')", "To the beginning of the chat", show=False),
    Binding("ctrl+end", "scroll_chat('end')", "To the end of the chat, and follow it", show=False),
    Binding("alt+up", "walk(-1)", "To the turn before", show=False),
    Binding("alt+down", "walk(1)", "To the next turn", show=False),
    Binding("ctrl+o", "unfold", "Whole abstract, or its beginning", show=False),
]
TEXT_BOX_KEYS: list[BindingType] = [
    Binding("pageup", "screen.scroll_chat('page_up')", "Chat: page up", show=False),
    Binding("pagedown", "screen.scroll_chat('page_down')", "Chat: page down", show=False),
]
PROMPT_KEYS: list[BindingType] = [
    Binding("enter", "send", "Send", id="prompt.send"),
    Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", show=False, id="prompt.newline"),
    Binding("shift+up", "screen.scroll_chat('up')", "Chat: line up", show=False),
    Binding("shift+down", "screen.scroll_chat('down')", "Chat: line down", show=False),
    Binding("alt+b", "cursor_word_left", "Cursor word left", show=False),
    Binding("alt+f", "cursor_word_right", "Cursor word right", show=False),
]
TURN_KEYS: list[BindingType] = [
    Binding("y,c", "wish('copy')", "Copy"),
    Binding("e", "wish('edit')", "Edit"),
    Binding("r", "wish('retry')", "Retry"),
    Binding("o", "wish('go on')", "Go on"),
    Binding("left_square_bracket", "variant(-1)", "Variant before", show=False),
    Binding("right_square_bracket", "variant(1)", "Next variant", show=False),
    Binding("k", "screen.walk(-1)", "Up", show=False),
    Binding("j", "screen.walk(1)", "Down", show=False),
    Binding("g", "screen.scroll_chat('home')", "To the beginning", show=False),
    Binding("G,end", "screen.scroll_chat('end')", "To the end", show=False),
    Binding("space", "screen.unfold", "Whole abstract, or its beginning", show=False),
]
SEARCH_KEYS: list[BindingType] = [
    Binding("enter", "submit", "Open"),
    Binding("down", "screen.to_list", "To the list"),
]
CHAT_LIST_KEYS: list[BindingType] = [
    Binding("enter", "select", "Open"),
    Binding("e", "screen.rename", "Rename"),
    Binding("delete,d", "screen.erase", "Erase"),
    Binding("slash", "screen.to_search", "Search"),
]
NEW_TITLE_KEYS: list[BindingType] = [
    Binding("enter", "submit", "Rename"),
    Binding("escape", "screen.keep_title", "Leave it"),
]
BENCH_KEYS: list[BindingType] = [
    Binding("escape", "back", "Back"),
    Binding("escape", "stop", "Stop"),
    Binding("f5", "leave", "Chat"),
    Binding("r", "go_on", "Go on"),
    Binding("c", "compare", "Compare"),
    LOCK_KEY,
]
RUN_LIST_KEYS: list[BindingType] = [Binding("enter", "select", "Open")]
MODEL_KEYS: list[BindingType] = [
    Binding("v", "check", "Verify"),
    Binding("d", "make_default", "Make default"),
    Binding("r", "look", "Look again"),
]
MODEL_LIST_KEYS: list[BindingType] = [Binding("enter", "select", "Use")]
SWAPPED = {"prompt.send": "ctrl+j", "prompt.newline": "enter,shift+enter,alt+enter"}


def keymap(send_key: str) -> dict[str, str]:
    """Keys of bindings that the settings change."""
    return SWAPPED if send_key == "ctrl+j" else {}


def how_to_send(send_key: str) -> str:
    """The two keys in words."""
    sends, begins = ("Ctrl+J", "Enter") if send_key == "ctrl+j" else ("Enter", "Ctrl+J")
    return f"{sends} sends, {begins} begins a new line."
