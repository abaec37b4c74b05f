"""The commands of `medlora-edge models` print what a user needs and change what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from medlora_edge import models, paths
from medlora_edge.cli.models import app
from medlora_edge.errors import CorruptError, UsageError
from tests.fake_hub import FakeHub, serving
from tests.models.corpus import TEMPLATE, sound_bytes, valid_gguf


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "shipped_models_dir", lambda: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return valid_gguf(tmp_path / "small.gguf")


def run(*arguments: str | Path, typed: str | None = None) -> str:
    """Run a command that must succeed; an error of ours is raised as in the program."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_empty_list_says_what_to_do() -> None:
    assert "models add FILE" in run("list")


def test_add_list_default_remove(file: Path) -> None:
    assert "installed demo: llama, F32" in run("add", file, "--name", "demo")
    row = run("list").splitlines()[1]
    assert row.split()[:3] == ["*", "demo", "315"]
    assert all(word in row for word in ("F32", "llama", "512", "apache-2.0", "untrained"))
    assert run("default", "demo") == run("default") == "demo\n"
    assert run("list").splitlines()[1].split()[:2] == ["*", "demo"]
    assert run("verify") == run("verify", "demo") == "demo: intact\n"
    assert "removed" in run("remove", "demo", "--yes")
    assert models.installed() == ()


def test_a_broken_model_is_listed_with_its_reason(file: Path) -> None:
    run("add", file)
    broken = paths.models_dir() / "broken[red]"
    broken.mkdir()
    rows = run("list").splitlines()
    assert any("broken[red]" in row and "manifest cannot be read" in row for row in rows)
    assert any("small" in row and "llama" in row for row in rows)
    result = CliRunner().invoke(app, ["verify"])
    assert isinstance(result.exception, CorruptError)
    assert "small: intact" in result.stdout  # one broken model hides no other


def test_a_missing_file_is_listed_as_missing(file: Path) -> None:
    models.add(file, name="gone").path.unlink()
    assert "file is missing" in run("list")


def test_info_shows_model_and_memory(file: Path) -> None:
    run("add", file, "--name", "demo")
    page = run("info", "demo", "--context", "300")
    for part in ("llama", "F32; tensors: 20 F32", "512 tokens", "apache-2.0", "its own, SHA-256", "untrained"):
        assert part in page
    for part in ("memory at 512 tokens", "weights", "KV cache", "compute buffers", "free now", "It fits"):
        assert part in page
    assert "It does not fit" in run("info", "demo", "--context", str(1 << 40))


def info(*arguments: str | Path) -> Any:
    return json.loads(run("info", *arguments, "--json"))


def test_info_as_json(file: Path) -> None:
    import hashlib

    run("add", file, "--name", "demo")
    record = info("demo")
    assert record["tensor_types"] == {"F32": 20}
    assert record["template_source"] == "model"
    assert record["template_sha256"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    memory = record["memory"]
    assert memory["n_ctx"] == 512
    assert memory["kv"] == 2 * 2 * 2 * 16 * 512 * 2
    assert memory["total"] == sum(memory[part] for part in ("weights", "kv", "compute", "overhead"))
    assert memory["fits"] is True


def test_info_of_a_file_that_is_not_installed(file: Path) -> None:
    assert info(file)["name"] == "small"
    with pytest.raises(UsageError, match="no model is installed"):
        run("info")


def test_remove_asks(file: Path) -> None:
    run("add", file, "--name", "demo")
    for answer in ("n\n", ""):
        result = CliRunner().invoke(app, ["remove", "demo"], input=answer)
        assert result.exit_code != 0
        assert models.find("demo")
    run("remove", "demo", typed="y\n")
    assert models.installed() == ()


@pytest.mark.loopback
def test_fetch_shows_size_and_licence_and_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    file = "model.Q3_K_L.gguf"
    with serving(FakeHub({file: sound_bytes()})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        declined = CliRunner().invoke(app, ["fetch", "owner/name", file], input="n\n")
        assert "size 315 KiB, licence llama3" in declined.stderr
        assert declined.exit_code != 0
        assert hub.downloads == []
        assert "installed model.Q3_K_L" in run("fetch", "owner/name", file, "--yes")
    assert models.find("model.Q3_K_L").manifest.licence == "llama3"


def test_foreign_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    def change(writer: Any) -> None:
        writer.kv_data[0]["general.license"].value = "\x1b]52;c;eA==\x07mit\u202e"

    run("add", valid_gguf(tmp_path / "m.gguf", change))
    for output in (run("list"), run("info", "m")):
        assert "mit" in output
        assert not {"\x1b", "\x07", "\u202e"} & set(output)
