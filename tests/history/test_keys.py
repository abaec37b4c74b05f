"""The data key: sealed by passphrase and recovery code, in two copies of which one is enough."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.errors import CorruptError, ResourceError, UsageError
from medlora_edge.history import keys
from tests.history.support import CHEAP

KEY = bytes(range(32))


def slots() -> keys.Slots:
    return keys.Slots(passphrase=keys.seal(KEY, b"passphrase", CHEAP), recovery=keys.seal(KEY, b"code", CHEAP))


def test_only_its_secret_opens_a_slot() -> None:
    slot = keys.seal(KEY, b"secret", CHEAP)
    assert slot.unseal(b"secret") == KEY
    assert slot.unseal(b"Secret") is None


def test_no_two_slots_are_alike() -> None:
    assert keys.seal(KEY, b"secret", CHEAP) != keys.seal(KEY, b"secret", CHEAP)


def test_the_real_cost_is_libsodiums_moderate() -> None:
    assert keys.MODERATE == (3, 256 << 20)


def test_memory_that_is_not_there_is_said() -> None:
    with pytest.raises(ResourceError, match="MiB of free memory"):
        keys.seal(KEY, b"secret", keys.Cost(1, 4_398_046_510_080))


def test_accents_open_however_a_keyboard_composes_them() -> None:
    assert keys.passphrase_secret("Be\u0301la Barto\u0301k") == keys.passphrase_secret("B\xe9la Bart\xf3k")


@given(passphrase=st.text(st.characters()))
def test_any_text_is_a_passphrase_when_long_enough(passphrase: str) -> None:
    if len(passphrase) >= 8:
        assert keys.new_passphrase_secret(passphrase) == keys.passphrase_secret(passphrase)
    else:
        with pytest.raises(UsageError, match="too short"):
            keys.new_passphrase_secret(passphrase)


def test_a_recovery_code_is_eight_groups_of_four() -> None:
    code = keys.new_recovery_code()
    assert [len(group) for group in code.split("-")] == [4] * 8
    assert not set(code) & set("ILOU"), "none that is read as another"
    assert code != keys.new_recovery_code()


def test_a_code_is_read_as_it_was_written_down() -> None:
    code = "01AB-CDEF-GHJK-MNPQ-RSTV-WXYZ-2345-6789"
    for typed in (code.lower(), code.replace("-", ""), f"  {code} \n".replace("-", " "), code.replace("01", "OL")):
        assert keys.recovery_secret(typed) == keys.recovery_secret(code)


@given(typed=st.text(st.characters()))
def test_what_is_no_code_is_said(typed: str) -> None:
    with pytest.raises(UsageError, match="no recovery code"):
        keys.recovery_secret(typed)


def test_either_copy_is_enough(tmp_path: Path) -> None:
    kept = slots()
    for name in (keys.NAME, keys.COPY):
        keys.save(tmp_path, kept)
        (tmp_path / name).unlink()
        assert keys.load(tmp_path) == kept


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    kept = slots()
    keys.save(tmp_path, kept)
    content = (tmp_path / keys.NAME).read_bytes()
    for place in range(len(content)):
        (tmp_path / keys.NAME).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert keys.load(tmp_path) == kept


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[" * 100_000, b"\xff", b'{"version": 1, "slots": 3}'])
def test_damaged_copies_are_said(tmp_path: Path, content: bytes) -> None:
    for name in (keys.NAME, keys.COPY):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptError, match="missing or damaged"):
        keys.load(tmp_path)


def test_a_newer_version_is_not_taken_for_damage(tmp_path: Path) -> None:
    (tmp_path / keys.NAME).write_text(json.dumps({"version": 2, "slots": []}))
    with pytest.raises(UsageError, match="newer version"):
        keys.load(tmp_path)


def test_a_slot_that_asks_for_the_whole_machine_is_refused(tmp_path: Path) -> None:
    slot = slots().passphrase.model_dump() | {"memory": 1 << 40}
    with pytest.raises(ValueError, match="less than or equal"):
        keys.Slot.model_validate(slot)
