CREATE TABLE chat (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    model TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    used INTEGER NOT NULL -- rises with every question asked anywhere: clocks jump, this order does not
) STRICT;

CREATE TABLE turn (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat INTEGER NOT NULL REFERENCES chat ON DELETE CASCADE,
    task TEXT NOT NULL,
    question TEXT NOT NULL, -- JSON of tasks.Question
    answer TEXT NOT NULL,
    state TEXT NOT NULL,
    label TEXT,
    label_probs TEXT NOT NULL, -- JSON, label to probability
    retry_of INTEGER REFERENCES turn ON DELETE SET NULL,
    timings TEXT, -- JSON of engine.protocol.Timings
    asked TEXT NOT NULL,
    model_sha256 TEXT NOT NULL,
    prompts_sha256 TEXT NOT NULL,
    model TEXT NOT NULL, -- its name when the question was asked
    settings TEXT NOT NULL -- JSON, name to value
) STRICT;

CREATE INDEX turn_chat ON turn (chat);
CREATE INDEX turn_retry_of ON turn (retry_of);

CREATE TABLE desk (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    draft TEXT NOT NULL, -- the one prompt not yet sent
    erase_due INTEGER NOT NULL -- rows were deleted, the file is not yet rewritten without them
) STRICT;

INSERT INTO desk VALUES (1, '', 0);

-- rowid: the turn's id, or the negative id of the chat whose title it is
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = "unicode61 remove_diacritics 2");
