"""What the border of a program says of an error that is not ours."""

import pytest

from medlora_edge.cli import border


def test_a_missing_library_is_named_with_what_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["demo"])
    app = border.program("demo", "A program.")

    @app.callback()
    def start() -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    with pytest.raises(SystemExit) as ended:
        border.run(app)
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: the library torch is not installed\n  what to do: pip install 'medlora-edge[build]'\n"
    )
