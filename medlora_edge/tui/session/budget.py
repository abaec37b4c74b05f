"""How much of the context a question takes, known before it is sent."""

from dataclasses import dataclass

from medlora_edge.errors import UsageError

LONGEST_ANSWER = 1024  # tokens
LEAST_ROOM = 64  # tokens: with less, an answer would be cut in its first sentences
FULL_SHARE = 0.8  # of the window: from here on the user is warned
CHARACTERS_A_TOKEN = 4  # of what is typed and not counted yet, about


@dataclass(frozen=True)
class Budget:
    """`used`: tokens of the prompt; `window`: what the context holds of prompt and answer together; `typed`: about how
    many tokens were typed since they were counted, below 0 where some were deleted.
    """

    used: int
    window: int
    typed: int = 0

    @property
    def answer_room(self) -> int:
        """Tokens that the answer may have; below 0 where not even the prompt fits."""
        return min(LONGEST_ANSWER, self.window - self.used)

    @property
    def fits(self) -> bool:
        """Whether it can be sent as it is."""
        return self.answer_room >= LEAST_ROOM

    @property
    def nearly_full(self) -> bool:
        """Whether the window is about to run out."""
        return self.now >= FULL_SHARE * self.window

    @property
    def now(self) -> int:
        """Tokens with what is typed and not counted yet."""
        return max(0, self.used + self.typed)

    def require_room(self) -> None:
        """Raise UsageError with the numbers when it cannot be sent."""
        if not self.fits:
            raise UsageError(
                f"the question and what belongs to it have {self.used:,} tokens, the context holds {self.window:,} "
                f"and the answer needs {LEAST_ROOM} of them",
                fix="leave out the oldest turns, begin a new chat, or shorten the text",
            )


def about(characters: int) -> int:
    """Tokens of so many characters, rather too many than too few; below 0 for characters that are gone."""
    return -(-characters // CHARACTERS_A_TOKEN)
