"""The settings file: defaults, good values, and the words for bad ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medlora_edge.errors import ExitCode, ResourceError, UsageError
from medlora_edge.settings import Settings, load_settings, load_settings_or_defaults


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
        ("engine = 3\n", ["engine = 3", "table", "line 1", "threads"]),
        ("[app]\ntheme = 'pink'\n", ["app.theme", "'pink'", "line 2", "'dark', 'light' or 'high-contrast'"]),
        ("[app]\nsend_key = 'tab'\n", ["app.send_key", "'tab'", "line 2", "'enter' or 'ctrl+j'"]),
        ("[app]\ntype_ahead = 'yes'\n", ["app.type_ahead", "'yes'", "line 2", "boolean"]),
        ("[app]\n\nidle_minutes = 0\n", ["app.idle_minutes = 0", "line 3", "greater than or equal to 1"]),
        ("[app]\nidle_minutes = 31\n", ["app.idle_minutes = 31", "line 2", "less than or equal to 30"]),
        ("[app]\nidle_minutes = 5.0\n", ["app.idle_minutes = 5.0", "line 2", "integer"]),
        ("[app]\ncolour = 'red'\n", ["unknown setting app.colour = 'red'", "line 2", "theme"]),
        (f"[app]\ntheme = '{'x' * 9999}'\n", ["app.theme", "x...", "line 2"]),
        (f"engine = {'[' * 9999}\n", ["do not parse"]),
        (f"engine = {'1' * 9999}\n", ["do not parse"]),
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
    file.write_bytes(b"[app]\n\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        load_settings(file)
    assert "line 2" in str(caught.value)


def test_settings_that_may_not_be_read_are_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ResourceError, match="Permission denied"):
        load_settings(tmp_path / "settings.toml")


def test_app_settings_are_taken_beside_the_engines(tmp_path: Path) -> None:
    settings = load(tmp_path, "[app]\ntheme = 'light'\nidle_minutes = 30\n")
    assert (settings.app.theme, settings.app.idle_minutes, settings.app.send_key) == ("light", 30, "enter")
    assert settings.engine == Settings().engine


def test_the_app_gets_defaults_and_the_mistake(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[app]\ntheme = 'light'\nidle_minutes = 99\n")
    settings, problem = load_settings_or_defaults(file)
    assert settings == Settings()
    assert "line 3" in str(problem)
    file.write_text("[app]\nidle_minutes = 9\n")
    settings, problem = load_settings_or_defaults(file)
    assert (settings.app.idle_minutes, problem) == (9, None)


@given(st.text())
def test_any_text_is_settings_or_an_error_in_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("settings") / "settings.toml"
    file.write_bytes(text.encode(errors="replace"))
    try:
        assert isinstance(load_settings(file), Settings)
    except UsageError as error:
        assert str(file) in str(error)
