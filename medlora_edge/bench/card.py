"""The run card: what was measured, with what, and where."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from medlora_edge.bench.job import TASK, Job
from medlora_edge.bench.schema import AdapterCard, Card, DataCard, Machine, ModelCard, Resolved
from medlora_edge.engine.protocol import Loaded, Opened, Ready
from medlora_edge.models import Model, read_header
from medlora_edge.tasks import READER_VERSION, prompts_sha256

LIBRARIES = ("medlora-edge", "llama-cpp-python", "jinja2", "pydantic")


def new_card(job: Job, ready: Ready, loaded: Loaded, opened: Opened, sequence_limit: int) -> Card:
    """The card of a run that begins now."""
    return Card(
        run_id=job.identity,
        settings=job.settings,
        resolved=Resolved(
            parallel=opened.n_seq_max,
            threads=opened.threads,
            n_ctx=opened.n_ctx,
            n_batch=opened.n_batch,
            n_ubatch=opened.n_ubatch,
            gpu_offload=loaded.gpu,
            sequence_limit=sequence_limit,
        ),
        model=_model_card(job.model, loaded),
        adapter=AdapterCard(name=job.adapter.name, sha256=job.adapter.sha256) if job.adapter else None,
        data=DataCard(
            name="PubMedQA",
            origin=job.dataset.origin,
            sha256=job.dataset.sha256,
            n_records=len(job.dataset.items),
            n_split=job.n_split,
            n_items=len(job.items),
        ),
        task=TASK,
        prompts_sha256=prompts_sha256(TASK),
        reader_version=READER_VERSION,
        software=_software(ready),
        machine=_machine(),
        started=now(),
        notes=loaded.notes,
    )


def now() -> str:
    """UTC time to the second, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _model_card(model: Model, loaded: Loaded) -> ModelCard:
    header = read_header(model.path)
    return ModelCard(
        name=model.name,
        sha256=model.manifest.sha256,
        description=loaded.description,
        architecture=header.architecture,
        quantisation=header.quantisation,
        size_bytes=loaded.size_bytes,
        n_params=loaded.n_params,
        n_ctx_train=loaded.n_ctx_train,
        template_sha256=loaded.template_sha256,
        template_source=loaded.template_source,
        untrained=model.untrained,
        demonstration=model.manifest.demonstration,
    )


def _software(ready: Ready) -> dict[str, str]:
    return {
        **{name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "llama.cpp": ready.llama_cpp,
        "backends": ready.backends,
    }


def _machine() -> Machine:
    import psutil

    return Machine(
        cpu=_cpu_name(),
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        system=f"{platform.system()} {platform.machine()}",
    )


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or "unknown"
