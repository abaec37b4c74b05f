"""The checks that ask the installed program: is it in order, which engine, enough memory, an answer, how fast."""

from medlora_setup.installed_program import Program, ProgramError, Told
from medlora_setup.qualification import Check, Outcome, Rows

MIB = 1 << 20
QUESTION = "Does honey ease chronic cough in adults?"
ASK = ("ask", QUESTION, "--max-tokens", "64", "--json")
NATIVE = "native"


def check_doctor(program: Program) -> Check:
    """Whether the program finds itself in order: engine, models, folders."""
    done = "The installed program examined its engine, its models and its folders (medlora-edge doctor)."
    try:
        return Check("Program", done, program.ask(_examined, "doctor", "--json"), Outcome.PASSED)
    except ProgramError as error:
        return Check("Program", done, str(error), Outcome.FAILED)


def _examined(told: Told) -> str:
    versions = told["versions"]
    return (
        f"Nothing wrong was found; medlora-edge {versions['medlora-edge']}, Python {versions['python']}, "
        f"llama.cpp {told['engine']['llama.cpp']}; models intact: {', '.join(told['models'])}."
    )


def check_engine(told: Told) -> Check:
    """Which build of the engine this processor got; `told` by a self-test, so it is one that computes."""
    engine = told["engine"]
    if engine["variant"] == NATIVE:
        found = "The engine has one build, made for the processor it was compiled on; it computes here."
    else:
        found = f"Engine variant {engine['variant']} was chosen and computes."
    features = " ".join(
        name for name in engine["backends"].replace(" = 1", "").split() if name not in {"CPU", ":", "|"}
    )
    done = "The engine chose its build for this processor and answered with it (medlora-edge self-test)."
    return Check("Processor", done, f"{found} Instructions in use: {features}.", Outcome.PASSED)


def check_memory(told: Told) -> Check:
    """Whether a chat with the model fits into the memory that is free now."""
    memory = told["memory"]
    needed, free = memory["needed_bytes"], memory["available_bytes"]
    done = f"Memory for a chat of {memory['context_tokens']:,} tokens was planned and compared with what is free."
    found = f"{told['model']['name']} needs {needed // MIB:,} MiB; {free // MIB:,} MiB are free."
    outcome = Outcome.PASSED if needed <= free else Outcome.FAILED
    return Check(f"Memory for {told['model']['name']}", done, found, outcome)


def check_bench(program: Program) -> tuple[Check, Rows]:
    """Answer the questions that ship, and the figures of it; no bar is set for a sample of invented questions."""
    done = "The questions that ship with the program were answered and read (medlora-edge bench pubmedqa)."
    try:
        found, outcome, figures = program.ask(_benched, "bench", "pubmedqa", "--json")
    except ProgramError as error:
        return Check("Bench sample", done, str(error), Outcome.FAILED), ()
    return Check("Bench sample", done, found, outcome), figures


def _benched(told: Told) -> tuple[str, Outcome, Rows]:
    failed = len(told["engine_failed"])
    found = f"{told['metrics']['n']} questions asked, {failed} failed in the engine; the figures are below."
    sound = told["finished"] and not failed
    return found, Outcome.PASSED if sound else Outcome.FAILED, _figures(told)


def check_answer(program: Program) -> Check:
    """Ask one question as a user does."""
    done = f'The question "{QUESTION}" was asked (medlora-edge ask).'
    try:
        return Check("Answer", done, *program.ask(_answered, *ASK))
    except ProgramError as error:
        return Check("Answer", done, str(error), Outcome.FAILED)


def _answered(told: Told) -> tuple[str, Outcome]:
    tokens, seconds = told["timings"]["generated_tokens"], told["timings"]["total_seconds"]
    found = f"{told['model']['name']} answered with {tokens} tokens in {seconds:.2f} s."
    return found, Outcome.PASSED if tokens else Outcome.FAILED


def _figures(told: Told) -> Rows:
    metrics, timings, card = told["metrics"], told["timings"], told["card"]
    return (
        ("Model", f"{card['model']['name']}, SHA-256 {card['model']['sha256'][:16]}…"),
        ("Data", f"{card['data']['name']} ({card['data']['origin']}), {metrics['n']} questions"),
        ("Accuracy, all questions", _share(metrics, "accuracy")),
        ("Valid response rate", _share(metrics, "strict_valid_rate")),
        ("Most frequent label", f"{metrics['majority_rate']:.1%}"),
        ("Prefill", _rate(timings["prefill_tokens_per_second"], "tokens/s")),
        ("Decode, each question", _rate(timings["decode_tokens_per_second"], "tokens/s")),
        ("A question, median", _rate(timings["seconds_median"], "s", 2)),
        ("A question, 95 of 100", f"at most {_rate(timings['seconds_p95'], 's', 2)}"),
        ("Whole sample", _rate(timings["wall_seconds"], "s", 1)),
        ("Engine memory, peak", f"{timings['peak_memory_bytes'] // MIB:,} MiB"),
        ("Threads; in parallel", f"{card['resolved']['threads']}; {card['resolved']['parallel']}"),
    )


def _share(metrics: Told, name: str) -> str:
    low, high = metrics["intervals"][name]
    return f"{metrics[name]:.1%} (95 % interval {low:.1%} to {high:.1%})"


def _rate(value: float | None, unit: str, digits: int = 0) -> str:
    return "not measured" if value is None else f"{value:,.{digits}f} {unit}"
