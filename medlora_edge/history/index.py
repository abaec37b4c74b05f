"""The full-text index: any text is a safe search, and what is found is marked in a snippet."""

import sqlite3

from medlora_edge.history import rows
from medlora_edge.history.records import Hit
from medlora_edge.privacy import clean

MOST_WORDS = 32
BEFORE, AFTER = 40, 160  # characters of a snippet around the first word found
# Found words stand between these; `clean` keeps both out of the index.
_BEGIN, _END = "\x02", "\x03"

# Not FTS5's snippet(): its time grows with the square of how often a word stands in a text.
_HITS = f"""
SELECT chat.id, chat.title, turn.id, highlight(words, 0, '{_BEGIN}', '{_END}')
FROM words LEFT JOIN turn ON turn.id = words.rowid JOIN chat ON chat.id = coalesce(turn.chat, -words.rowid)
WHERE words MATCH ? ORDER BY chat.used DESC, words.rowid DESC LIMIT ?
"""  # noqa: S608 - two constants


def add_title(db: sqlite3.Connection, chat: int) -> None:
    """Index a chat's title in place of the one before."""
    db.execute("REPLACE INTO words (rowid, text) SELECT -id, title FROM chat WHERE id = ?", (chat,))


def add_turn(db: sqlite3.Connection, turn: int) -> None:
    """Index a turn's words in place of those before."""
    content, answer = db.execute("SELECT question, answer FROM turn WHERE id = ?", (turn,)).fetchone()
    asked = rows.question(content)
    text = clean("\n".join((asked.question, *asked.contexts, *asked.options.values(), answer)))
    db.execute("REPLACE INTO words (rowid, text) VALUES (?, ?)", (turn, text))


def drop(db: sqlite3.Connection, chat: int) -> None:
    """Take a chat's title and turns out."""
    db.execute("DELETE FROM words WHERE rowid IN (SELECT id FROM turn WHERE chat = ?)", (chat,))
    db.execute("DELETE FROM words WHERE rowid = ?", (-chat,))


def rebuild(db: sqlite3.Connection) -> None:
    """Make the index anew: FTS5 keeps words of what was dropped, some even in its secure-delete mode."""
    db.execute("INSERT INTO words (words) VALUES ('rebuild')")


def search(db: sqlite3.Connection, typed: str, limit: int) -> tuple[Hit, ...]:
    """Turns and titles with all words typed, the last used chat first."""
    query = _query(typed)
    return tuple(_hit(row) for row in db.execute(_HITS, (query, limit)).fetchall()) if query else ()


def _query(typed: str) -> str:
    """FTS5 query: each word a quoted string, in which there is no syntax but the doubled quote; the last may go on."""
    words = dict.fromkeys(clean(typed).split()[:MOST_WORDS])
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return " ".join(quoted) + "*" if quoted else ""


def _hit(row: rows.Row) -> Hit:
    chat, title, turn, marked = row
    snippet, *pieces = _around(marked).split(_BEGIN)
    matches = []
    for piece in pieces:
        word, _, rest = piece.partition(_END)
        matches.append((len(snippet), len(snippet) + len(word)))
        snippet += word + rest
    return Hit(chat=chat, title=title, turn=turn, snippet=snippet, matches=tuple(matches))


def _around(marked: str) -> str:
    """One line of the text around the first word found, with its marks."""
    first = marked.index(_BEGIN)
    begin, end = max(0, first - BEFORE), first + AFTER
    line = marked[begin:end].translate({ord("\n"): " ", ord("\t"): " "})
    return ("…" if begin else "") + line + ("…" if end < len(marked) else "")
