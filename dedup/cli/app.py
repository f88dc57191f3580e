"""The Typer commands. Each reads its options, asks its module for the work, and says what was done."""

from pathlib import Path
from typing import Annotated

import typer

from dedup.cli.cleaning import Targets, clean_inputs
from dedup.cli.inputs import Clean
from dedup.cli.reports import report_inputs
from dedup.cli.restoring import restore_files
from dedup.config import PRESETS, Config
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
AsText = Annotated[bool, typer.Option("--text", help="Take data with NUL bytes as text.")]
Full = Annotated[bool, typer.Option("--full", help="Show every paragraph and every block.")]
Scope = Annotated[str, typer.Option("--scope", help="document: each document by itself.")]


def _config(preset: str, min_words: int | None, min_paragraph: int | None) -> Config:
    if preset not in PRESETS:
        raise UsageError(f"--preset {preset}: there is {', '.join(PRESETS)}")
    config = PRESETS[preset]
    if min_words is not None:
        config = config._replace(min_words=min_words)
    return config if min_paragraph is None else config._replace(min_paragraph=min_paragraph)


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
    input_format: InputFormat = "auto",
    text_field: TextField = "text",
    id_field: IdField = "id",
    scope: Scope = "document",
    text: AsText = False,
    full: Full = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say on standard error what was done.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Write the clean text: to standard output, a file (-o), a folder (-d), or over the input (--in-place)."""
    job = _job(_config(preset, min_words, min_paragraph), input_format, text_field, id_field, text)
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
    input_format: InputFormat = "auto",
    text_field: TextField = "text",
    id_field: IdField = "id",
    text: AsText = False,
    full: Full = False,
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
) -> None:
    """Show what would go, what stays though it repeats, and why. Writes no text."""
    job = _job(_config(preset, min_words, min_paragraph), input_format, text_field, id_field, text)
    _choice("--format", format, "text", "json")
    _choice("--color", color, "auto", "always", "never")
    raise typer.Exit(report_inputs(job, inputs or ["-"], format, full, color))


@app.command()
def restore(
    clean: Annotated[str, typer.Argument(metavar="CLEAN", help="The clean file, or the folder that -d wrote.")],
    manifest: Annotated[Path, typer.Option(help="The file that clean --manifest wrote.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the input here.")] = None,
    directory: Annotated[Path | None, typer.Option("-d", "--directory", help="Write the inputs below here.")] = None,
) -> None:
    """Rebuild the input, byte for byte, from the clean text and its manifest."""
    raise typer.Exit(restore_files(clean, manifest, output, directory))
