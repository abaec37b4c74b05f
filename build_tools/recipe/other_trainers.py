"""Keys that people bring from other trainers' files, and what says the same here."""

from types import MappingProxyType

_NO_TRACKER = "there is no tracker; the metrics lie in metrics.jsonl and loss.svg of the run folder"
_ONE_PROCESS = "training runs in one process on one device"
_NUMBERS = "the number format is `load_bits`: 4 (NF4 with bf16 compute), 16 (bf16) or 32"
_TEMPLATE_TOKENS = "tokens come from the tokenizer, and the end of a turn from the chat template (`base.chat_template`)"

SENTENCES = MappingProxyType(
    {
        # the model
        "base_model": "the base is `base.folder`, or `base.hub` with `base.revision`",
        "model_name_or_path": "the base is `base.folder`, or `base.hub` with `base.revision`",
        "model_type": "the architecture is read from the base's config.json",
        "tokenizer_type": "the tokenizer is the base's own",
        "is_mistral_derived_model": "the architecture is read from the base's config.json",
        "is_llama_derived_model": "the architecture is read from the base's config.json",
        "trust_remote_code": "code that comes with a model is never run",
        "special_tokens": _TEMPLATE_TOKENS,
        "eos_token": _TEMPLATE_TOKENS,
        "pad_token": "padding is masked by position, so no pad token has to be chosen",
        "load_in_4bit": _NUMBERS,
        "load_in_8bit": _NUMBERS,
        "fp16": _NUMBERS,
        "bf16": _NUMBERS,
        "tf32": _NUMBERS,
        "strict": "unknown keys are always refused",
        # the adapter
        "lora_r": "the rank is `adapter.rank`",
        "r": "the rank is `adapter.rank`",
        "lora_alpha": "it is `adapter.alpha`",
        "lora_dropout": "it is `adapter.dropout`",
        "lora_target_modules": "they are `adapter.target_modules`",
        "lora_target_linear": "write `adapter.target_modules: all-linear`, or list the modules",
        "lora_modules_to_save": "only LoRA weights are trained",
        "modules_to_save": "only LoRA weights are trained",
        "lora_model_dir": "what becomes of an earlier adapter is said by `previous: merge` or `previous: stack`",
        "use_dora": "DoRA is not trained here: no adapter GGUF can hold it",
        "merge_lora": "adapters are merged by `previous: merge` between stages, and at the end of the chain",
        # data
        "datasets": "data are listed in `stages[].data`",
        "dataset_prepared_path": "prepared rows lie in the run folder",
        "val_set_size": "it is `evaluation.share`",
        "train_on_inputs": "`kind: chat` trains answers only, `kind: completion` every token",
        "conversation": "prompts come from the `format`: pubmedqa, multiple_choice or question_answer",
        "sequence_len": "it is `max_length`",
        "model_max_length": "it is `max_length`",
        "max_seq_length": "it is `max_length`",
        "sample_packing": "it is `packing`, always with an attention of its own for each document",
        "eval_sample_packing": "held-out rows are never packed",
        "pad_to_sequence_len": "rows are packed or padded as the batch needs",
        "group_by_length": "rows are packed, so their lengths are alike",
        # optimiser, schedule, batch
        "micro_batch_size": "it is `batch.micro`",
        "per_device_train_batch_size": "it is `batch.micro`",
        "gradient_accumulation_steps": "it is `batch.accumulation`",
        "num_epochs": "it is `epochs`",
        "num_train_epochs": "it is `epochs`",
        "max_steps": "it is `steps`",
        "optim": "it is `optimiser.name`",
        "lr": "it is `optimiser.learning_rate`",
        "lr_scheduler": "it is `schedule.name`",
        "lr_scheduler_type": "it is `schedule.name`",
        "gradient_checkpointing": "it is `checkpoint_activations`",
        "activation_checkpointing": "it is `checkpoint_activations`",
        "early_stopping_patience": "it is `evaluation.patience`",
        "eval_steps": "it is `evaluation.every`",
        "evals_per_epoch": "it is `evaluation.every`, in steps",
        "eval_table_size": _NO_TRACKER,
        "save_steps": "it is `save_every`",
        "saves_per_epoch": "it is `save_every`, in steps",
        "resume_from_checkpoint": "a run resumes from its newest complete checkpoint by itself",
        "loss_watchdog_threshold": "it is `limits.spike`, times the recent median",
        # around it
        "output_dir": "the place is given on the command line: --out",
        "hub_model_id": "nothing is uploaded",
        "push_to_hub": "nothing is uploaded",
        "report_to": _NO_TRACKER,
        "wandb_project": _NO_TRACKER,
        "wandb_entity": _NO_TRACKER,
        "wandb_name": _NO_TRACKER,
        "wandb_log_model": _NO_TRACKER,
        "mlflow_tracking_uri": _NO_TRACKER,
        "logging_steps": "every step is logged",
        "flash_attention": "the attention is PyTorch's own",
        "xformers_attention": "the attention is PyTorch's own",
        "deepspeed": _ONE_PROCESS,
        "fsdp": _ONE_PROCESS,
        "fsdp_config": _ONE_PROCESS,
    }
)

VALUES = MappingProxyType(
    {
        "sharegpt": "conversations are asked by `format: question_answer` with its field names",
        "alpaca": "instructions are asked by `format: question_answer` with its field names",
        "qlora": "write `load_bits: 4` and give `adapter` its rank, alpha and target_modules",
        "lora": "write `load_bits: 16` and give `adapter` its rank, alpha and target_modules",
        "paged_adamw_8bit": "the 8-bit optimiser here is adamw_bnb_8bit",
        "adamw_8bit": "the 8-bit optimiser here is adamw_bnb_8bit",
    }
)

# Two keys of one stage that other trainers' files give together though they say different things.
PAIRS = (
    ("lora_target_linear", "target_modules", "one says every linear layer, the other lists layers"),
    ("lora_target_linear", "lora_target_modules", "one says every linear layer, the other lists layers"),
    ("fp16", "bf16", "these are two number formats"),
    ("load_in_4bit", "load_in_8bit", "these are two number formats"),
    ("sample_packing", "packing", "the same thing is said twice"),
)
