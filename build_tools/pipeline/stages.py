"""Base, data and training: the first half of the chain, one stage of the recipe after the other."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from build_tools.bases.counts import count
from build_tools.bases.prepare import prepare
from build_tools.bases.resolve import resolve
from build_tools.bases.scratch import make
from build_tools.data.build import build
from build_tools.data.rows import load, save
from build_tools.data.sources import files, texts
from build_tools.manifest import sha256_of_file, sha256_of_folder
from build_tools.pipeline.candidates import merge
from build_tools.pipeline.chain import Chain, Lineage
from build_tools.pipeline.step import Artefact, Outcome
from build_tools.recipe.schema import Stage
from build_tools.training.train import train as train_rows
from medlora_edge.errors import UsageError
from medlora_edge.tasks import prompts_sha256

TOKENIZER = ("transformers", "tokenizers", "sentencepiece")
TRAINING = ("torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes")
CHECKPOINTS = "checkpoints"
TASKS = {  # by data format
    "pubmedqa": "pubmedqa",
    "rct_abstracts": "pubmedqa",
    "multiple_choice": "multiple_choice",
    "question_answer": "ask",
}


def base(chain: Chain) -> Artefact:
    """The Hugging Face folder where training starts: made here for `scratch`, else the user's own, used in place."""
    recipe = chain.recipe
    if recipe.base.scratch:
        work, inputs = partial(_make_scratch, chain), _sources(chain, recipe.stages[0])
    else:
        outside = _outside(chain)
        if recipe.base.chat_template == "base":
            return outside
        work, inputs = partial(_prepare, chain, outside.path), (outside,)
    record = chain.do(
        "base",
        work,
        inputs=inputs,
        part=recipe.base.model_dump(mode="json"),
        libraries=("torch", *TOKENIZER),
    )
    return chain.output(record)


def _outside(chain: Chain) -> Artefact:
    spec = chain.recipe.base
    folder = resolve(spec, chain.recipe_folder)
    if folder is None:
        raise UsageError("a base made from scratch lies nowhere", where=chain.recipe.name)
    chain.say("base: hashing")
    return Artefact(f"base:{spec.hub or spec.folder}", folder, sha256_of_folder(folder))


def _make_scratch(chain: Chain, folder: Path) -> Outcome:
    recipe = chain.recipe
    if recipe.base.scratch:
        make(recipe.base.scratch, texts(recipe.stages[0], chain.recipe_folder), folder, seed=recipe.seed)
    return Outcome()


def _prepare(chain: Chain, found: Path, folder: Path) -> Outcome:
    prepare(chain.recipe.base, chain.recipe_folder, found, folder)
    return Outcome()


def _sources(chain: Chain, stage: Stage) -> tuple[Artefact, ...]:
    """The stage's data files as the recipe names them."""
    names = [name for source in stage.data for name in files(source, Path())]
    paths = {f"data:{name}": chain.recipe_folder / name for name in names}
    for path in paths.values():
        if not path.is_file():
            raise UsageError("the data file is missing", where=str(path), fix="check the path in the recipe")
    return tuple(Artefact(name, path, sha256_of_file(path)) for name, path in paths.items())


def data(chain: Chain, stage: Stage, start: Artefact) -> Artefact:
    """Rows of one stage, tokenised as the base has it."""
    formats = {source.format for source in stage.data}
    prompts = {name: prompts_sha256(name) for form, name in TASKS.items() if form in formats}
    record = chain.do(
        f"data/{stage.name}",
        partial(_build_rows, chain, stage, start.path),
        inputs=(start, *_sources(chain, stage)),
        part={"stage": stage.model_dump(mode="json"), "prompts": prompts},
        libraries=TOKENIZER,
    )
    return chain.output(record)


def _build_rows(chain: Chain, stage: Stage, start: Path, folder: Path) -> Outcome:
    rows, report = build(stage, start, chain.recipe_folder, seed=chain.recipe.seed)
    save(rows, folder)
    return Outcome(facts=report.model_dump(mode="json"))


def train(chain: Chain, start: Artefact, rows: Mapping[str, Artefact]) -> Lineage:
    """Train every stage on what the one before left, and return the last one's weights and open adapters."""
    lineage, before = Lineage(start), ""
    for stage in chain.recipe.stages:
        if stage.previous == "merge":
            lineage = replace(lineage, base=merge(chain, before, lineage, rows[before], "full"), adapters=())
        lineage, before = _train(chain, stage, lineage, rows[stage.name]), stage.name
    return lineage


def _train(chain: Chain, stage: Stage, lineage: Lineage, rows: Artefact) -> Lineage:
    record = chain.do(
        f"train/{stage.name}",
        partial(_train_stage, chain, stage, lineage, rows.path),
        inputs=(lineage.base, *lineage.adapters, rows),
        part=stage.model_dump(mode="json"),
        libraries=TRAINING,
        kept=(CHECKPOINTS,),
    )
    if stage.adapter == "none":
        return replace(lineage, base=chain.output(record, "weights"))
    adapters = (*lineage.adapters, chain.output(record, "adapter"))
    return replace(lineage, adapters=adapters, reference=lineage.reference or lineage.base)


def _train_stage(chain: Chain, stage: Stage, lineage: Lineage, rows: Path, folder: Path) -> Outcome:
    trained = train_rows(
        stage,
        load(rows),
        base=lineage.base.path,
        adapters=[adapter.path for adapter in lineage.adapters],
        out=folder,
        seed=chain.recipe.seed,
        watcher=chain.watcher,
        strict=chain.strict,
    )
    counts = count(lineage.base.path, stage.adapter)
    return Outcome(facts={**asdict(trained), "counts": asdict(counts)})
