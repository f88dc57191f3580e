"""The Typer commands. Each reads its options, asks its module for the work, and says what was done."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from dedup.cli.cleaning import Targets, clean_inputs
from dedup.cli.inputs import Clean
from dedup.cli.reports import explain_input, report_inputs
from dedup.cli.restoring import restore_files
from dedup.config import KEEP, NEAR, PRESETS, Config
from dedup.errors import UsageError

app = typer.Typer(
    name="dedup",
    help="Repair scraped text: find the repeated blocks, keep the best copy, show why, and undo it exactly.\n\n"
    "Without a command: dedup [FILE]... is dedup clean. dedup < raw.txt > clean.txt is the plain filter.",
    epilog="Exit: 0 done, 1 check found more than allowed, 2 anything else, 130 on Ctrl-C. "
    "A file named like a command: ./clean",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="IN...", help="Files or folders; - or nothing: standard input.")
]
Preset = Annotated[str, typer.Option(help=f"Settings by name: {', '.join(PRESETS)}.")]
MinWords = Annotated[
    int | None, typer.Option("--min-words", min=4, help="Shortest run of words that counts as repeated.")
]
MinParagraph = Annotated[
    int | None, typer.Option("--min-paragraph", min=1, help="Shortest lone paragraph that may go, in words.")
]
InputFormat = Annotated[str, typer.Option("--input-format", help="text, jsonl, or auto: by the file's name.")]
TextField = Annotated[str, typer.Option("--text-field", help="JSONL: the field that holds the text.")]
IdField = Annotated[str, typer.Option("--id-field", help="JSONL: the field that names the record.")]
Near = Annotated[
    bool, typer.Option("--near", help="Also copies that differ in one word of ten; --near 0.8: that share is alike.")
]
Similarity = Annotated[
    float | None, typer.Option("--similarity", min=0.5, max=1.0, help="How alike near copies are, 0.5 to 1.")
]
NearFacts = Annotated[
    bool, typer.Option("--near-facts", help="Near copies may go that differ in a figure, date, negation or name.")
]
Keep = Annotated[str, typer.Option("--keep", help=f"Which copy stays: {', '.join(KEEP)}.")]
AsText = Annotated[bool, typer.Option("--text", help="Take data with NUL bytes as text.")]
Full = Annotated[bool, typer.Option("--full", help="Show every paragraph and every block.")]
Scope = Annotated[str, typer.Option("--scope", help="document: each document by itself.")]


def _config(
    preset: str,
    min_words: int | None,
    min_paragraph: int | None,
    near: bool,
    similarity: float | None,
    near_facts: bool,
    keep: str,
) -> Config:
    config = PRESETS[_choice("--preset", preset, *PRESETS)]
    if near_facts and not near and similarity is None:
        raise UsageError("--near-facts: add --near, or copies that differ are not looked for")
    given: dict[str, Any] = {
        "min_words": min_words,
        "min_paragraph": min_paragraph,
        "similarity": NEAR if near and similarity is None else similarity,
        "near_facts": near_facts,
        "keep": _choice("--keep", keep, *KEEP),
    }
    return config._replace(**{name: value for name, value in given.items() if value is not None})


def _job(config: Config, input_format: str, text_field: str, id_field: str, text: bool) -> Clean:
    return Clean(config, _choice("--input-format", input_format, "auto", "text", "jsonl"), text_field, id_field, text)


def _choice(option: str, value: str, *choices: str) -> str:
    if value not in choices:
        raise UsageError(f"{option} {value}: there is {', '.join(choices)}")
    return value


@app.command()
def clean(
    inputs: Inputs = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the clean text here.")] = None,
    directory: Annotated[Path | None, typer.Option("-d", "--directory", help="Write clean files below here.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the inputs.")] = False,
    manifest: Annotated[
        Path | None, typer.Option(help="Record every removal here, so that restore can undo it.")
    ] = None,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write a report, .json or .txt; may be given again.")
    ] = None,
    preset: Preset = "default",
    min_words: MinWords = None,
    min_paragraph: MinParagraph = None,
    near: Near = False,
    similarity: Similarity = None,
    near_facts: NearFacts = False,
    keep: Keep = "best",
    input_format: InputFormat = "auto",
    text_field: TextField = "text",
    id_field: IdField = "id",
    scope: Scope = "document",
    text: AsText = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Check each result once more, word by word, before it is written.")
    ] = False,
    full: Full = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say on standard error what was done.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Write the clean text: to standard output, a file (-o), a folder (-d), or over the input (--in-place)."""
    job = _job(
        _config(preset, min_words, min_paragraph, near, similarity, near_facts, keep),
        input_format,
        text_field,
        id_field,
        text,
    )
    job = replace(job, audit=audit)
    _choice("--scope", scope, "document")
    targets = Targets(output, directory, in_place, manifest, report or [])
    raise typer.Exit(clean_inputs(job, inputs or ["-"], targets, full=full, quiet=quiet, verbose=verbose))


@app.command()
def report(
    inputs: Inputs = None,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    preset: Preset = "default",
    min_words: MinWords = None,
    min_paragraph: MinParagraph = None,
    near: Near = False,
    similarity: Similarity = None,
    near_facts: NearFacts = False,
    keep: Keep = "best",
    input_format: InputFormat = "auto",
    text_field: TextField = "text",
    id_field: IdField = "id",
    text: AsText = False,
    full: Full = False,
    explain: Annotated[bool, typer.Option("--explain", help="One document: every match considered.")] = False,
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
) -> None:
    """Show what would go, what stays though it repeats, and why. Writes no text."""
    job = _job(
        _config(preset, min_words, min_paragraph, near, similarity, near_facts, keep),
        input_format,
        text_field,
        id_field,
        text,
    )
    _choice("--format", format, "text", "json")
    _choice("--color", color, "auto", "always", "never")
    if explain and format != "text":
        raise UsageError("--explain: there is --format text only")
    act = explain_input if explain else report_inputs
    raise typer.Exit(act(job, inputs or ["-"], format, full, color))


@app.command()
def restore(
    clean: Annotated[str, typer.Argument(metavar="CLEAN", help="The clean file, or the folder that -d wrote.")],
    manifest: Annotated[Path, typer.Option(help="The file that clean --manifest wrote.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the input here.")] = None,
    directory: Annotated[Path | None, typer.Option("-d", "--directory", help="Write the inputs below here.")] = None,
) -> None:
    """Rebuild the input, byte for byte, from the clean text and its manifest."""
    raise typer.Exit(restore_files(clean, manifest, output, directory))
