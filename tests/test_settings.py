"""The settings file: defaults, good values, and the words for bad ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.errors import ExitCode, UsageError
from medlora_edge.settings import Settings, load_settings


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.toml") == Settings()


def test_values_are_taken(tmp_path: Path) -> None:
    settings = load(tmp_path, "[engine]\nthreads = 3\nkv_type = 'q8_0'\n").engine
    assert (settings.threads, settings.kv_type, settings.gpu_layers) == (3, "q8_0", "auto")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[engine\n", ["do not parse", "line 1"]),
        ("[engine]\nthreads = = 3\n", ["do not parse", "line 2"]),
        ("[engine]\n\nthreads = 'many'\n", ["engine.threads", "'many'", "line 3", "'auto'"]),
        ("[engine]\nkv_type = 'q2'\n", ["engine.kv_type", "'q2'", "'f16' or 'q8_0'", "line 2"]),
        ("[engine]\nthreads = -1\n", ["engine.threads", "greater than or equal to 1", "line 2"]),
        ("engine.context = 3\n", ["engine.context", "256", "line 1"]),
        ("[engine]\ncontexts = 4096\n", ["unknown setting engine.contexts", "line 2", "context"]),
        ("\n[motor]\n", ["unknown setting motor", "line 2", "engine"]),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert caught.value.code is ExitCode.USAGE
    for word in words:
        assert word in str(caught.value)


def test_binary_settings_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_settings(file)


@given(st.text())
def test_any_text_is_settings_or_an_error_in_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("settings") / "settings.toml"
    file.write_bytes(text.encode(errors="replace"))
    try:
        assert isinstance(load_settings(file), Settings)
    except UsageError as error:
        assert str(file) in str(error)
