"""The base folder that a recipe's chat template asks for."""

import json
import shutil
from pathlib import Path

import pytest

from build_tools.bases.prepare import prepare, replacement
from build_tools.bases.scratch import CHATML
from build_tools.recipe.schema import Base
from medlora_edge.errors import CorruptError, UsageError


def base(template: str | Path) -> Base:
    return Base.model_validate({"folder": "base", "licence": "mit", "chat_template": template})


def test_the_bases_own_template_needs_no_other_folder(scratch_base: Path, tmp_path: Path) -> None:
    assert prepare(base("base"), tmp_path, scratch_base, tmp_path / "made") == scratch_base
    assert replacement(base("base"), tmp_path) is None


def test_another_template_is_the_only_difference(scratch_base: Path, tmp_path: Path) -> None:
    (tmp_path / "own.jinja").write_text("{{ messages[0].content }}")
    made = prepare(base(Path("own.jinja")), tmp_path, scratch_base, tmp_path / "made")
    files = {file.name: file.read_bytes() for file in scratch_base.iterdir()}
    assert {file.name: json_or_bytes(file) for file in made.iterdir()} == {
        name: json_or_bytes(scratch_base / name) for name in files
    } | {"chat_template.jinja": b"{{ messages[0].content }}"}
    assert (scratch_base / "chat_template.jinja").read_bytes() == CHATML.read_bytes()


def json_or_bytes(file: Path) -> object:
    return json.loads(file.read_text()) if file.suffix == ".json" else file.read_bytes()


def test_an_older_template_in_the_tokenizers_configuration_goes(scratch_base: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(scratch_base, old)
    file = old / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"chat_template": "stale"}))
    made = prepare(base("chatml"), tmp_path, old, tmp_path / "made")
    assert "chat_template" not in json.loads((made / "tokenizer_config.json").read_text())
    assert json.loads(file.read_text())["chat_template"] == "stale"


def test_what_cannot_be_read_leaves_nothing(scratch_base: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="template cannot be read"):
        prepare(base(Path("missing.jinja")), tmp_path, scratch_base, tmp_path / "made")
    broken = tmp_path / "broken"
    shutil.copytree(scratch_base, broken)
    (broken / "tokenizer_config.json").write_text("{")
    with pytest.raises(CorruptError, match="JSON"):
        prepare(base("chatml"), tmp_path, broken, tmp_path / "made")
    assert [place.name for place in tmp_path.iterdir()] == ["broken"]
