"""What the history's tests share: a cheap Argon2id, questions, and the data key of a kept folder."""

from pathlib import Path

from medlora_edge.history import Store, Turn, create, keys, unlock
from medlora_edge.tasks import Question

CHEAP = keys.Cost(1, 8192)
PASSPHRASE = "correct horse battery"
SHA = "0" * 64


def keep(folder: Path, **options: Store) -> tuple[Store, str]:
    return create(folder, PASSPHRASE, cost=CHEAP, **options)


def reopen(folder: Path) -> Store:
    return unlock(folder, PASSPHRASE)


def asked(text: str) -> Question:
    return Question(id="q", question=text)


def begin(store: Store, chat: int, text: str = "Does it hurt?") -> Turn:
    return store.begin(chat, "ask", asked(text), model_sha256=SHA, prompts_sha256=SHA)


def data_key(folder: Path) -> bytes:
    key = keys.load(folder).passphrase.unseal(keys.passphrase_secret(PASSPHRASE))
    assert key
    return key
