"""No damaged file gets past the reader unnoticed, and none makes it fail in any other way than with words."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medlora_edge.engine.protocol import ContextOptions
from medlora_edge.errors import CorruptError, MedloraError, UsageError
from medlora_edge.models import describe, inspect, plan, source_of
from tests.models.corpus import by_chance, by_hand, corrupted, sound_bytes

SOUND = sound_bytes()
HAND_MADE = {name: (damaged, word) for name, damaged, word in by_hand(SOUND)}


def use(path: Path) -> None:
    """Do all that the program does with a header."""
    header = inspect(path)
    plan(header, ContextOptions())
    describe(header, name="x", sha256="0" * 64, source=source_of(path))


def require_words(error: MedloraError) -> None:
    assert error.what[0].islower()
    assert error.where
    assert error.code in {2, 3}


def test_the_undamaged_file_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "sound.gguf"
    path.write_bytes(SOUND)
    use(path)
    assert inspect(path).architecture == "llama"


def test_there_are_enough_cases_and_each_is_damaged() -> None:
    cases = list(corrupted(seed=0, sound=SOUND))
    assert len(cases) >= 200
    assert len({name for name, _ in cases}) == len(cases)
    assert all(damaged != SOUND for _, damaged in cases)


@pytest.mark.parametrize("name", HAND_MADE)
def test_each_kind_of_damage_has_its_sentence(name: str, tmp_path: Path) -> None:
    damaged, word = HAND_MADE[name]
    path = tmp_path / "damaged.gguf"
    path.write_bytes(damaged)
    with pytest.raises(CorruptError) as caught:
        use(path)
    require_words(caught.value)
    assert word in str(caught.value)


@pytest.mark.parametrize("seed", range(5))
def test_chance_damage_is_refused_in_words_or_still_sound(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "damaged.gguf"
    refused = 0
    for _, damaged in by_chance(SOUND, seed):
        path.write_bytes(damaged)
        try:
            use(path)
        except (CorruptError, UsageError) as error:
            require_words(error)
            refused += 1
    assert refused > 100


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.gguf"
    for head in (b"", b"GGUF\x03\0\0\0"):
        path.write_bytes(head + content)
        with pytest.raises(MedloraError) as caught:
            use(path)
        require_words(caught.value)


edits = st.lists(st.tuples(st.integers(8, len(SOUND) - 1), st.binary(min_size=1, max_size=9)), min_size=1, max_size=4)


@given(edits, st.integers(0, len(SOUND)))
@settings(max_examples=300, deadline=None)
def test_any_edit_is_refused_in_words_or_still_sound(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]], length: int
) -> None:
    damaged = bytearray(SOUND)
    for place, content in changes:
        damaged[place : place + len(content)] = content
    path = tmp_path_factory.getbasetemp() / "edited.gguf"
    for whole in (damaged, damaged[:length]):
        path.write_bytes(whole)
        try:
            use(path)
        except (CorruptError, UsageError) as error:
            require_words(error)
        else:
            assert inspect(path).file_size == len(whole)
