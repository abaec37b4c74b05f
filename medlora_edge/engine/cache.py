"""Who owns the KV cache: one slot a sequence, one pinned prefix, branches for scoring.

A single slot lies with the pinned prefix and the branches in one unified cache: they share cells. Several slots have
a cache each, and so has the prefix: llama.cpp copies it whole. In one cache for all of them every token's attention
would walk over everybody's cells (seen: 16 sequences of 500 tokens, 273 tokens/s against 404).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from medlora_edge.engine.native import Context
from medlora_edge.engine.prompts import common_length
from medlora_edge.engine.protocol import ContextOptions

BRANCHES = 8  # sequences in which the candidates of one question are scored side by side


@dataclass
class Slot:
    """One llama.cpp sequence and the tokens its cells hold."""

    seq: int
    tokens: list[int] = field(default_factory=list)
    busy: bool = False
    used: int = 0  # when it was last given back, on a counter


@dataclass(frozen=True)
class Layout:
    """What llama.cpp is asked for: `n_seq` sequences in one `unified` cache of `n_ctx` cells, or in one each of it."""

    n_seq: int
    n_ctx: int
    unified: bool


class KvCache:
    """Hands out slots and remembers what idle slots can still serve."""

    def __init__(self, context: Context, n_slots: int, *, partial_reuse: bool) -> None:
        self._context = context
        self._partial = partial_reuse
        self._slots = [Slot(seq) for seq in range(n_slots)]
        self._clock = 0
        self.pinned = Slot(n_slots)
        self._pinned_for: list[int] = []
        self.branch_seqs = range(n_slots + 1, n_slots + 1 + BRANCHES if n_slots == 1 else 0)

    @staticmethod
    def layout(options: ContextOptions, n_ctx: int) -> Layout:
        """The sequences and cells with which each slot can hold `n_ctx / n_seq_max` tokens."""
        if options.n_seq_max == 1:
            return Layout(1 + 1 + BRANCHES, n_ctx, unified=True)
        return Layout(options.kv_caches, -(-n_ctx // options.n_seq_max) * options.kv_caches, unified=False)

    def take(self, tokens: Sequence[int], *, prefix: list[int], known: int) -> Slot | None:
        """A free slot, or None while others hold them all.

        With a `prefix` the slot holds just that, or is empty and may later share the pinned one. Otherwise it already
        holds the longest beginning of `tokens` that an idle slot still has, at most `known` tokens of it.
        """
        idle = [slot for slot in self._slots if not slot.busy]
        if not idle or not self._pin(prefix, alone=len(idle) == len(self._slots)):
            return None

        def reused(slot: Slot) -> int:
            if prefix:
                return len(prefix) if slot.tokens == prefix else 0
            return min(common_length(slot.tokens, tokens), known) if self._partial else 0

        slot = max(idle, key=lambda slot: (reused(slot), not slot.tokens, -slot.used))
        self.cut(slot, reused(slot))
        slot.busy = True
        return slot

    def give_back(self, slot: Slot, *, keep: bool) -> None:
        """The request has ended; `keep` what the slot holds for later turns of the chat, else but the pinned prefix."""
        self._clock += 1
        slot.used = self._clock
        slot.busy = False
        if not keep or not self._partial:
            shared = len(self.pinned.tokens)
            self.cut(slot, shared if slot.tokens[:shared] == self.pinned.tokens else 0)

    def share_pinned(self, slot: Slot) -> None:
        """Let an empty slot begin with the pinned tokens."""
        self._context.copy(self.pinned.seq, slot.seq)
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
