"""Chats that several engine tests use."""

from medlora_edge.engine import Message, Role, Sampling

GREEDY = Sampling(temperature=0)
CANDIDATES = {"yes": "yes.", "no": "no.", "maybe": "maybe."}
YES_NO_MAYBE = 'root ::= ("yes" | "no" | "maybe") "."'


def chat(words: str, system: str = "You answer medical questions.") -> tuple[Message, ...]:
    return (Message(role=Role.SYSTEM, content=system), Message(role=Role.USER, content=words))


def reply(earlier: tuple[Message, ...], answer: str, words: str) -> tuple[Message, ...]:
    return (*earlier, Message(role=Role.ASSISTANT, content=answer), Message(role=Role.USER, content=words))
