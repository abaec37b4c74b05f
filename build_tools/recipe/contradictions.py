"""Keys of a recipe that are fine alone and cannot be meant together; each refusal names both.

They look at the document as written, so that they are told together with the schema's own complaints.
"""

from collections.abc import Iterator
from posixpath import basename, normpath
from typing import Any

from build_tools.recipe.other_trainers import PAIRS
from build_tools.recipe.problems import Loc, Problem
from build_tools.recipe.schema import ALL_LINEAR

ORIGINS = ("folder", "hub", "scratch")


def contradictions(data: Any) -> Iterator[Problem]:
    """All of them in a document; parts that are not even mappings are the schema's matter."""
    base = _part(data, "base")
    yield from _base(base)
    yield from _scratch(_part(base, "scratch"))
    yield from _export(_part(data, "export"))
    stages = [stage if isinstance(stage, dict) else {} for stage in _list(data, "stages")]
    yield from _names(stages)
    yield from _nothing_compared(stages, _part(data, "export"))
    yield from _withheld(stages)
    for index, stage in enumerate(stages):
        yield from _against_base(stage, index, base)
        yield from _lineage(stages, index)
        for problem in (
            *_length_of_training(stage),
            *_weights(stage),
            *_modules(stage),
            *_pairs(stage),
            *_shares(stage),
            *_hashes(stage),
            *_same_names(stage),
        ):
            yield Problem(("stages", index, *problem.loc), problem.what)


def _base(base: dict[str, Any]) -> Iterator[Problem]:
    given = [key for key in ORIGINS if base.get(key) is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given" if given else "none is given"
        yield Problem(("base", *given[1:2]), f"exactly one of {', '.join(ORIGINS)} says where it comes from; {said}")
    if "hub" in given and base.get("revision") is None:
        yield Problem(("base", "hub"), "hub needs revision beside it: the full commit id, so that it cannot change")
    if base.get("revision") is not None and "hub" not in given:
        yield Problem(("base", "revision"), "revision goes with hub, which is not given")
    if "scratch" in given and base.get("shape") is not None:
        yield Problem(("base", "shape"), "shape and scratch both give the sizes of the model; leave shape out")


def _scratch(scratch: dict[str, Any]) -> Iterator[Problem]:
    for whole, parts in (("hidden", "heads"), ("heads", "kv_heads")):
        size, count = scratch.get(whole), scratch.get(parts)
        if isinstance(size, int) and isinstance(count, int) and count > 0 and size % count:
            yield Problem(("base", "scratch", parts), f"{parts} {count} does not divide {whole} {size}")


def _export(export: dict[str, Any]) -> Iterator[Problem]:
    if export.get("type") == "none" and not export.get("reason"):
        yield Problem(("export", "type"), "type: none needs reason beside it: why this model cannot be exported")
    if export.get("reason") and export.get("type") != "none":
        yield Problem(("export", "reason"), "reason goes with type: none only")


def _shares(stage: dict[str, Any]) -> Iterator[Problem]:
    """Shares leave room for at least one source that is taken once."""
    given = [source.get("share") for source in _list(stage, "data") if isinstance(source, dict)]
    shares = [share for share in given if isinstance(share, int | float)]
    if shares and len(shares) == len(given):
        yield Problem(("data",), "every source has a share; leave it out of at least one, which is then taken once")
    elif sum(shares) >= 1:
        yield Problem(("data",), f"the shares add up to {sum(shares):g}, which leaves nothing for the other sources")


def _hashes(stage: dict[str, Any]) -> Iterator[Problem]:
    for number, source in enumerate(_list(stage, "data")):
        files, hashes = _list(source, "files"), _list(source, "sha256")
        if hashes and len(hashes) != len(files):
            yield Problem(
                ("data", number, "sha256"), f"{len(hashes)} hashes for {len(files)} files; one each, in order"
            )


def _withheld(stages: list[dict[str, Any]]) -> Iterator[Problem]:
    """A file whose questions are held out everywhere is described alike everywhere, or the wrong ones would be."""
    first: dict[str, tuple[int, dict[str, Any]]] = {}  # by path
    for index, stage in enumerate(stages):
        for number, source in enumerate(_list(stage, "data")):
            if not (isinstance(source, dict) and isinstance(source.get("file"), str)):
                continue
            told = {key: value for key, value in source.items() if key != "share"} | {"file": normpath(source["file"])}
            where, before = first.setdefault(told["file"], (index, told))
            place = ("stages", index, "data", number, "file")
            if told != before and "held_out" in told | before:
                what = f"held_out: stages[{where}] reads this file with other keys, so that other questions stay out"
                yield Problem(place, what)
            elif where != index and "held_out" not in told:
                what = f"held_out is missing: stages[{where}] reads this file too, and may hold out other questions"
                yield Problem(place, what)


def _same_names(stage: dict[str, Any]) -> Iterator[Problem]:
    """Records are known by their file's name, so two files of a stage have different ones."""
    first: dict[str, str] = {}
    for number, source in enumerate(_list(stage, "data")):
        for path in (_list(source, "files") or [source.get("file")]) if isinstance(source, dict) else ():
            if isinstance(path, str) and first.setdefault(basename(path), normpath(path)) != normpath(path):
                what = f"{path}: another file of this stage is called {basename(path)} too; rename one of them"
                yield Problem(("data", number), what)


def _nothing_compared(stages: list[dict[str, Any]], export: dict[str, Any]) -> Iterator[Problem]:
    """The quantise gate measures what fine-tuning changed."""
    if stages and export.get("type") != "none" and all(stage.get("adapter") == "none" for stage in stages):
        what = "adapter: none in every stage leaves the gates nothing to compare; add a stage with one, or"
        yield Problem(("stages", len(stages) - 1, "adapter"), f"{what} export: {{type: none, reason: ...}}")


def _names(stages: list[dict[str, Any]]) -> Iterator[Problem]:
    names = [stage.get("name") for stage in stages]
    for index, name in enumerate(names):
        if isinstance(name, str) and name in names[:index]:
            first = names.index(name)
            yield Problem(("stages", index, "name"), f"stages[{first}].name is {name} too; each has a folder")


def _against_base(stage: dict[str, Any], index: int, base: dict[str, Any]) -> Iterator[Problem]:
    place, scratch = ("stages", index), _part(base, "scratch")
    if stage.get("adapter") == "none" and base.get("scratch") is None:
        what = "adapter: none trains all weights, which is for base.scratch only; give rank, alpha and target_modules"
        yield Problem((*place, "adapter"), what)
    if index == 0 and scratch and stage.get("kind") == "chat":
        what = "kind: chat cannot come first on base.scratch: the tokenizer is made from a completion stage's text"
        yield Problem((*place, "kind"), what)
    length, context = stage.get("max_length"), scratch.get("context")
    if isinstance(length, int) and isinstance(context, int) and length > context:
        yield Problem((*place, "max_length"), f"max_length {length} is more than base.scratch.context {context}")


def _lineage(stages: list[dict[str, Any]], index: int) -> Iterator[Problem]:
    """What becomes of the adapters before a stage is always said, and possible."""
    previous = stages[index].get("previous")
    place: Loc = ("stages", index, "previous")
    if index == 0 and previous is not None:
        yield Problem(place, "previous is for the second stage on: stages[0] has none before it")
    if index > 0 and previous is None:
        what = f"previous is missing: say whether the adapter of stages[{index - 1}] is merged (merge) or kept (stack)"
        yield Problem(place, what)
    if index > 0 and previous == "stack" and "none" in (stages[index].get("adapter"), stages[index - 1].get("adapter")):
        yield Problem(place, "previous: stack needs an adapter on both stages, and one has adapter: none; write merge")


def _length_of_training(stage: dict[str, Any]) -> Iterator[Problem]:
    schedule, steps = _part(stage, "schedule"), stage.get("steps")
    given = [key for key in ("steps", "epochs") if stage.get(key) is not None]
    if len(given) != 1:
        yield Problem(tuple(given[1:]), f"exactly one of steps and epochs; {'both are' if given else 'none is'} given")
    if schedule.get("warmup_steps") is not None and schedule.get("warmup_ratio") is not None:
        yield Problem(("schedule", "warmup_ratio"), "warmup_steps and warmup_ratio are two warm-ups; give one")
    warmup = schedule.get("warmup_steps")
    if isinstance(warmup, int) and isinstance(steps, int) and warmup >= steps:
        yield Problem(("schedule", "warmup_steps"), f"warmup_steps {warmup} never ends within steps {steps}")


def _weights(stage: dict[str, Any]) -> Iterator[Problem]:
    if stage.get("adapter") != "none":
        return
    if stage.get("load_bits", 4) == 4:
        what = "load_bits: 4 cannot go with adapter: none: 4-bit weights are not trained; write 16 or 32"
        yield Problem(("load_bits",), what)
    if stage.get("kind") == "chat":
        yield Problem(("adapter",), "adapter: none is for kind: completion, not for kind: chat")


def _modules(stage: dict[str, Any]) -> Iterator[Problem]:
    modules = _part(stage, "adapter").get("target_modules")
    if not isinstance(modules, list):
        return
    place = ("adapter", "target_modules")
    if ALL_LINEAR in modules and len(modules) > 1:
        others = ", ".join(str(module) for module in modules if module != ALL_LINEAR)
        yield Problem(place, f"{ALL_LINEAR} and a list ({others}) say different things; write one of them")
    elif ALL_LINEAR in modules:
        yield Problem(place, f"{ALL_LINEAR} stands alone: target_modules: {ALL_LINEAR}")
    if "lm_head" in modules:
        yield Problem(place, "lm_head takes no adapter: it is tied in some models, and no GGUF adapter holds it")
    if len({str(module) for module in modules}) < len(modules):
        yield Problem(place, "a module is listed twice")


def _pairs(stage: dict[str, Any]) -> Iterator[Problem]:
    """Pairs known from other trainers, wherever in the stage their keys stand."""
    adapter, schedule = _part(stage, "adapter"), _part(stage, "schedule")
    places: dict[str, Loc] = {key: (key,) for key in stage}
    places |= {key: ("adapter", key) for key in adapter} | {key: ("schedule", key) for key in schedule}
    for first, second, why in PAIRS:
        if first in places and second in places:
            yield Problem(places[first], f"{first} and {second} together: {why}")
    if "warmup_steps" in stage and "warmup_ratio" in stage:
        yield Problem(("warmup_ratio",), "warmup_steps and warmup_ratio are two warm-ups; give one, in schedule")
    if stage.get("kind") == "completion" and "train_on_inputs" in stage:
        what = "train_on_inputs and kind: completion: there are no inputs, every token is trained"
        yield Problem(("train_on_inputs",), what)


def _part(data: Any, key: str) -> dict[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _list(data: Any, key: str) -> list[Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, list) else []
