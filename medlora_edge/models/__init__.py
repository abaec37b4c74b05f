"""Installed models: what they are, whether they are intact, and whether they fit into memory."""

from medlora_edge.models.adapter import Adapter, find_adapter
from medlora_edge.models.adding import add
from medlora_edge.models.catalogue import (
    Entry,
    Model,
    default_name,
    find,
    inspect,
    installed,
    remove,
    set_default,
    shipped,
    verify,
)
from medlora_edge.models.gguf_checks import check
from medlora_edge.models.gguf_header import GgufHeader
from medlora_edge.models.gguf_purpose import require_chat_model
from medlora_edge.models.gguf_reader import read_header
from medlora_edge.models.manifest import Manifest, Source, describe, read_manifest, source_of, write_manifest
from medlora_edge.models.memory_plan import MemoryPlan, plan, require_memory
from medlora_edge.models.opening import OpenedModel, Stage, chat_options, open_model, require_unchanged, warning
from medlora_edge.models.survey import AdapterFile, FileState, Surveyed, look_at, survey

__all__ = [
    "Adapter",
    "AdapterFile",
    "Entry",
    "FileState",
    "GgufHeader",
    "Manifest",
    "MemoryPlan",
    "Model",
    "OpenedModel",
    "Source",
    "Stage",
    "Surveyed",
    "add",
    "chat_options",
    "check",
    "default_name",
    "describe",
    "find",
    "find_adapter",
    "inspect",
    "installed",
    "look_at",
    "open_model",
    "plan",
    "read_header",
    "read_manifest",
    "remove",
    "require_chat_model",
    "require_memory",
    "require_unchanged",
    "set_default",
    "shipped",
    "source_of",
    "survey",
    "verify",
    "warning",
    "write_manifest",
]
