"""Who owns the cells of the unified KV cache: one slot a sequence, one pinned prefix, branches for scoring."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from medlora_edge.engine.native import Context
from medlora_edge.engine.prompts import common_length

BRANCHES = 8  # sequences in which the candidates of one question are scored side by side


@dataclass
class Slot:
    """One llama.cpp sequence and the tokens its cells hold."""

    seq: int
    tokens: list[int] = field(default_factory=list)
    reserved: int = 0  # cells promised to the request that runs here; 0 when idle
    used: int = 0  # when it was last given back, on a counter


class KvCache:
    """Hands out slots so that the cells never run out, and remembers what idle slots can still serve."""

    def __init__(self, context: Context, n_slots: int, *, partial_reuse: bool) -> None:
        self._context = context
        self._partial = partial_reuse
        self._slots = [Slot(seq) for seq in range(n_slots)]
        self._clock = 0
        self.pinned = Slot(n_slots)
        self._pinned_for: list[int] = []
        self.branch_seqs = range(n_slots + 1, n_slots + 1 + BRANCHES)
        self.n_ctx = context.n_ctx

    @staticmethod
    def sequences(n_slots: int) -> int:
        """How many llama.cpp sequences `n_slots` slots need."""
        return n_slots + 1 + BRANCHES

    def take(self, tokens: Sequence[int], need: int, *, prefix: list[int], known: int) -> Slot | None:
        """A slot with `need` cells promised, or None while others hold them.

        With a `prefix` the slot is empty and may later share the pinned one. Otherwise it already holds the longest
        beginning of `tokens` that an idle slot still has, at most `known` tokens of it.
        """
        idle = [slot for slot in self._slots if not slot.reserved]
        if not idle or not self._pin(prefix, alone=len(idle) == len(self._slots)):
            return None
        need -= len(prefix)
        if self._promised() + need > self.n_ctx:
            return None
        most = 0 if prefix or not self._partial else known
        slot = max(idle, key=lambda slot: (self._overlap(slot, tokens, most), not slot.tokens, -slot.used))
        self.cut(slot, self._overlap(slot, tokens, most))
        slot.reserved = need
        self._make_room()
        return slot

    def give_back(self, slot: Slot, *, keep: bool) -> None:
        """The request has ended; `keep` what the slot holds for later turns of the chat."""
        self._clock += 1
        slot.used = self._clock
        slot.reserved = 0
        if not keep or not self._partial:
            self.cut(slot, 0)

    def share_pinned(self, slot: Slot) -> None:
        """Let an empty slot begin with the pinned tokens."""
        self._context.copy(self.pinned.seq, slot.seq, len(self.pinned.tokens))
        slot.tokens = self.pinned.tokens.copy()

    def cut(self, slot: Slot, length: int) -> None:
        """Keep the first `length` tokens of a slot; all are dropped where the model cannot keep a part."""
        if length == len(slot.tokens):
            return
        if length and self._context.drop(slot.seq, length):
            del slot.tokens[length:]
            return
        self._context.drop(slot.seq)
        slot.tokens.clear()

    def _pin(self, prefix: list[int], *, alone: bool) -> bool:
        """Whether `prefix` may be used: a new one takes the old one's place when nobody runs on that any more."""
        if prefix == self._pinned_for:
            return True
        if not alone:
            return not prefix
        self.cut(self.pinned, 0)
        self._pinned_for = prefix
        return True

    @staticmethod
    def _overlap(slot: Slot, tokens: Sequence[int], most: int) -> int:
        return min(common_length(slot.tokens, tokens), most)

    def _promised(self) -> int:
        return len(self._pinned_for) + sum(slot.reserved for slot in self._slots)

    def _make_room(self) -> None:
        idle = sorted((s for s in self._slots if not s.reserved and s.tokens), key=lambda slot: slot.used)
        for slot in idle:
            if self._promised() + sum(len(s.tokens) for s in idle) <= self.n_ctx:
                return
            self.cut(slot, 0)
