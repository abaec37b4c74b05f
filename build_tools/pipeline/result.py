"""The end of the chain: the quantise gate, a first answer, and the folder that a catalogue takes."""

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pydantic import JsonValue

from build_tools.gates.report import GateReport, require
from build_tools.gguf.quality import Pair, quantise_gate
from build_tools.pipeline import answer
from build_tools.pipeline.answers import answers_gate, held_out_questions
from build_tools.pipeline.candidates import QUANTISING, Candidate, held_out
from build_tools.pipeline.card import render
from build_tools.pipeline.chain import Chain
from build_tools.pipeline.describing import manifest_of
from build_tools.pipeline.step import RESULT, Artefact, Outcome
from build_tools.recipe.schema import AnswersGate, Gates
from medlora_edge import models

CARD = "card.md"
ENGINE_LOG = ".engine.log"


def gate(chain: Chain, chosen: Candidate, base: Candidate, rows: Artefact, losses: Mapping[str, float]) -> Artefact:
    """Measure what quantising cost the chosen candidate, beside the base quantised alike, and ask it a question.

    `losses`: held-out loss of every candidate. Raises GateError (exit 5), EngineError (exit 7).
    """
    record = chain.do(
        "gate",
        partial(_gate, chain, (chosen, base), rows.path, losses),
        inputs=(chosen.f16, chosen.quantised, base.f16, base.quantised, rows),
        part=_part(chain.recipe.gates),
        libraries=QUANTISING,
    )
    return chain.output(record)


def _gate(
    chain: Chain, pair: tuple[Candidate, Candidate], rows: Path, losses: Mapping[str, float], folder: Path
) -> Outcome:
    chosen, _ = pair
    tuned, untuned = (Pair(candidate.f16.path, candidate.quantised.path) for candidate in pair)
    report = quantise_gate(tuned, untuned, held_out(rows), chain.recipe.gates.quantise)
    require(report, chosen.quantised.path)
    folder.mkdir()
    (folder / "gate.json").write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    answered = answer.ask(chosen.quantised.path, folder / ENGINE_LOG)
    facts: dict[str, JsonValue] = {"chosen": chosen.name, "losses": dict(losses), "answer": answered}
    if chain.recipe.gates.answers is None:
        return Outcome(gates=(report,), facts=facts)
    answers, told = _answers(chain, pair, rows, chain.recipe.gates.answers, folder)
    return Outcome(gates=(report, answers), facts={**facts, "answers": told})


def _part(gates: Gates) -> JsonValue:
    """The bars of this step; without those that the recipe does not set."""
    quantise: JsonValue = gates.quantise.model_dump(mode="json")
    return (
        quantise if gates.answers is None else {"quantise": quantise, "answers": gates.answers.model_dump(mode="json")}
    )


def _answers(
    chain: Chain, pair: tuple[Candidate, Candidate], rows: Path, gate: AnswersGate, folder: Path
) -> tuple[GateReport, dict[str, JsonValue]]:
    tuned, untuned = (candidate.quantised.path for candidate in pair)
    questions = held_out_questions(chain.recipe.stages[-1], chain.recipe_folder, held_out(rows), gate.questions)
    report, told = answers_gate(tuned, untuned, questions, gate, folder / ENGINE_LOG)
    return require(report, tuned), told


def result(chain: Chain, chosen: Candidate, gated: Artefact) -> Path:
    """The folder that ships: GGUF, its manifest, and the model card. Raises GateError without gate results."""
    record = chain.do(
        RESULT,
        partial(_result, chain, chosen),
        inputs=(chosen.quantised, gated),
        part=chain.recipe.model_dump(mode="json"),
    )
    return chain.output(record).path


def _result(chain: Chain, chosen: Candidate, folder: Path) -> Outcome:
    made = chosen.quantised
    manifest = manifest_of(made.path, made.sha256, chain.recipe, chain.done, name=made.path.stem)
    folder.mkdir(mode=0o700)
    _link(made.path, folder / made.path.name)
    models.write_manifest(folder, manifest)
    (folder / CARD).write_text(render(manifest), encoding="utf-8")
    return Outcome()


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
