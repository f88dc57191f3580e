"""The Typer commands. Each reads its options, asks its module for the work, and says what was done."""

import inspect
import os
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from dedup.cli import settings
from dedup.cli.cleaning import Targets, clean_inputs
from dedup.cli.inputs import Engine, Job
from dedup.cli.reports import explain_input, report_inputs
from dedup.cli.restoring import restore_files
from dedup.config import KEEP, NEAR, PRESETS
from dedup.decode import codec
from dedup.errors import PipeClosed, UsageError
from dedup.fix import FIXERS, SAFE, chosen
from dedup.io import files
from dedup.io.compression import RATIO
from dedup.io.documents import Reading
from dedup.io.formats import FORMATS
from dedup.io.rows import Options

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
Full = Annotated[bool, typer.Option("--full", help="Show every paragraph, block and document.")]
Scope = Annotated[
    str | None,
    typer.Option("--scope", help="document: each by itself; batch: also against each other (default for several)."),
]


def _settings(
    inputs: Inputs = None,
    files_from: Annotated[
        str | None, typer.Option("--files-from", help="Also the inputs that this file names, one a line; -: stdin.")
    ] = None,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="--files-from: the names end in NUL, as of find -print0.")
    ] = False,
    preset: Annotated[str, typer.Option(help=f"Settings by name: {', '.join(PRESETS)}.")] = "default",
    min_words: Annotated[
        int | None, typer.Option("--min-words", min=4, help="Shortest run of words that counts as repeated.")
    ] = None,
    min_paragraph: Annotated[
        int | None, typer.Option("--min-paragraph", min=1, help="Shortest lone paragraph that may go, in words.")
    ] = None,
    min_passage: Annotated[
        int | None,
        typer.Option("--min-passage", min=12, help="Batch: shortest passage that documents share, in words."),
    ] = None,
    min_documents: Annotated[
        int | None,
        typer.Option("--min-documents", min=2, help="Batch: documents that a line of boilerplate stands in."),
    ] = None,
    near: Annotated[
        bool,
        typer.Option("--near", help="Also copies that differ in one word of ten; --near 0.8: that share is alike."),
    ] = False,
    similarity: Annotated[
        float | None, typer.Option("--similarity", min=0.5, max=1.0, help="How alike near copies are, 0.5 to 1.")
    ] = None,
    resemblance: Annotated[
        float | None,
        typer.Option(
            "--resemblance",
            min=0.5,
            max=1.0,
            help="Batch: share of their shingles that near documents have in common; default: 0.8.",
        ),
    ] = None,
    near_facts: Annotated[
        bool,
        typer.Option("--near-facts", help="Near copies may go that differ in a figure, date, negation or name."),
    ] = False,
    keep: Annotated[str, typer.Option("--keep", help=f"Which copy stays: {', '.join(KEEP)}.")] = "best",
    contained: Annotated[
        bool, typer.Option("--contained", help="Batch: documents go whose text stands in another one.")
    ] = False,
    passages: Annotated[
        bool, typer.Option("--passages", help="Batch: paragraphs go that an earlier document has.")
    ] = False,
    boilerplate: Annotated[
        bool, typer.Option("--boilerplate", help="Batch: lines go that many documents of a site have.")
    ] = False,
    input_format: Annotated[
        str, typer.Option("--input-format", help=f"{', '.join(FORMATS)}, or auto: by what the file holds and its name.")
    ] = "auto",
    text_field: Annotated[
        str, typer.Option("--text-field", help="Records: the field or column that holds the text.")
    ] = "text",
    id_field: Annotated[str, typer.Option("--id-field", help="Records: the field that names the record.")] = "id",
    group_field: Annotated[
        str, typer.Option("--group-field", help="Records: the field that names the site; else the host of url.")
    ] = "",
    html_mode: Annotated[
        str, typer.Option("--html-mode", help="HTML: article, its main text; page, all text, in its place.")
    ] = "article",
    fix: Annotated[
        str,
        typer.Option("--fix", help=f"Mend the text too: safe ({', '.join(SAFE)}), or a list of {', '.join(FIXERS)}."),
    ] = "",
    furniture: Annotated[
        Path | None,
        typer.Option("--furniture", help="--fix furniture, stubs: the lines that go, by language, in this file."),
    ] = None,
    encoding: Annotated[
        str, typer.Option("--encoding", help="Of the inputs; else what they declare, UTF-8, or what they look like.")
    ] = "",
    max_ratio: Annotated[
        int, typer.Option("--max-ratio", min=1, help="Compressed files: times its size to which one may grow.")
    ] = RATIO,
    text: Annotated[bool, typer.Option("--text", help="Take data with NUL bytes as text.")] = False,
    scope: Scope = None,
    index: Annotated[
        Path | None, typer.Option("--index", help="Batch: also against the documents of earlier runs, in this file.")
    ] = None,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=0, help="Processes, where there is enough to do; 0: one a core.")
    ] = 0,
    config: Annotated[
        Path | None, typer.Option("--config", help="Settings from this file, not from the nearest that has some.")
    ] = None,
    # Both are read before the others: see `configured` and `command`.
    print_config: Annotated[bool, typer.Option("--print-config", help="Print the settings of this call.")] = False,
    memory: Annotated[
        str, typer.Option("--memory", help="Batch: what may be used, as 500MB or 8GB; default: half of the machine's.")
    ] = "",
) -> Job:
    """What the commands share."""
    chosen_config = PRESETS[_choice("--preset", preset, *PRESETS)]
    if near_facts and not near and similarity is None:
        raise UsageError("--near-facts: add --near, or copies that differ are not looked for")
    given: dict[str, Any] = {
        "min_words": min_words,
        "min_paragraph": min_paragraph,
        "min_passage": min_passage,
        "min_documents": min_documents,
        "similarity": NEAR if near and similarity is None else similarity,
        "resemblance": resemblance,
        "near_facts": near_facts,
        "keep": _choice("--keep", keep, *KEEP),
        "contained": contained,
        "passages": passages,
        "boilerplate": boilerplate,
        "encoding": codec(encoding) if encoding else "",
        "fix": chosen(name.strip() for name in fix.split(",")) if fix else (),
        "furniture": os.fspath(furniture) if furniture else "",
    }
    judged = chosen_config._replace(**{name: value for name, value in given.items() if value is not None})
    if scope is not None:
        _choice("--scope", scope, "document", "batch")
    _choice("--input-format", input_format, "auto", *FORMATS)
    _choice("--html-mode", html_mode, "article", "page")
    options = Options(text_field, id_field, group_field, encoding, html_mode)
    reading = Reading(judged.checked(), input_format, options, max_ratio, text)
    if null and files_from is None:
        raise UsageError("-0 goes with --files-from")
    given_inputs = [*(inputs or []), *files.listed(files_from, b"\0" if null else b"\n")] if files_from else inputs
    engine = Engine(jobs, _bytes(memory), os.fspath(index) if index else "")
    return Job(reading, engine, scope, ["-"] if given_inputs is None else given_inputs)


def _choice(option: str, value: str, *choices: str) -> str:
    if value not in choices:
        raise UsageError(f"{option} {value}: there is {', '.join(choices)}")
    return value


def _bytes(size: str) -> int:
    """The bytes that 500MB or 8GB are; 0 for nothing."""
    units = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
    number, unit = size.upper().removesuffix("B"), ""
    if number[-1:] in units:
        number, unit = number[:-1], number[-1:]
    if size and not number.isdecimal():
        raise UsageError(f"--memory {size}: give a size such as 500MB or 8GB")
    if size and int(number) * units[unit] < 100 * 10**6:
        raise UsageError(f"--memory {size}: use 100MB or more")
    return int(number or 0) * units[unit]


def _share(option: str, size: str) -> float:
    """The share, 0..1, that 5% or 0.05 are."""
    try:
        share = float(Decimal(size.removesuffix("%")) / (100 if size.endswith("%") else 1))
    except ArithmeticError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"{option} {size}: give a share such as 5% or 0.05")
    return share


_PARAMETERS: dict[str, list[inspect.Parameter]] = {}  # of each command that takes settings


def configured(arguments: list[str]) -> list[str]:
    """Return the arguments with the settings of the project before them.

    Raises UsageError or InputError naming the file that they are from.
    """
    size = 2 if arguments[0] == "index" else 1
    command = " ".join(arguments[:size])
    if command not in _PARAMETERS:
        return arguments
    found = settings.arguments(*settings.find(os.getcwd(), settings.named(arguments)), command, _PARAMETERS)
    return [*arguments[:size], *found, *arguments[size:]]


def _command(function: Callable[..., int], group: typer.Typer = app) -> Callable[..., int]:
    """Make a command of a function: its first parameter is what the shared options come to."""
    own = list(inspect.signature(function).parameters.values())[1:]
    hidden = () if group is app else ("scope", "index")
    shared = [p for p in inspect.signature(_settings).parameters.values() if p.name not in hidden]

    def command(**options: Any) -> None:
        if options["print_config"]:
            path, _ = settings.find(os.getcwd(), os.fspath(options["config"]) if options["config"] else None)
            typer.echo(settings.shown(path, options), nl=False)
            raise typer.Exit(0)
        job = _settings(**{p.name: options.pop(p.name) for p in shared})
        try:
            code = function(job, **options)
        except BrokenPipeError:
            raise PipeClosed from None
        raise typer.Exit(code)

    command.__doc__ = function.__doc__
    command.__signature__ = inspect.Signature(own + shared)  # type: ignore[attr-defined]  # read by Typer
    hints = get_type_hints(function, include_extras=True) | get_type_hints(_settings, include_extras=True)
    command.__annotations__ = {p.name: hints[p.name] for p in own + shared}
    group.command(function.__name__)(command)
    _PARAMETERS[function.__name__ if group is app else f"{group.info.name} {function.__name__}"] = own + shared
    return function


index = typer.Typer(
    name="index", help="The index of earlier runs: what was seen before.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(index)
Database = Annotated[Path, typer.Argument(metavar="DB", help="The file of the index.")]


@_command
def clean(
    job: Job,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the clean text here.")] = None,
    directory: Annotated[Path | None, typer.Option("-d", "--directory", help="Write clean files below here.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the inputs.")] = False,
    manifest: Annotated[
        Path | None, typer.Option(help="Record every removal here, so that restore can undo it.")
    ] = None,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write a report: .txt, .json, .html, .sarif, .xml; may be given again.")
    ] = None,
    to_utf8: Annotated[bool, typer.Option("--to-utf8", help="Write texts of other encodings in UTF-8.")] = False,
    audit: Annotated[
        bool, typer.Option("--audit", help="Check each result once more, word by word, before it is written.")
    ] = False,
    full: Full = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say on standard error what was done.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
) -> int:
    """Write the clean text: to standard output, a file (-o), a folder (-d), or over the input (--in-place)."""
    targets = Targets(output, directory, in_place, manifest, report or [])
    job = replace(job, reading=replace(job.reading, audit=audit, to_utf8=to_utf8), engine=replace(job.engine, add=True))
    return clean_inputs(job, targets, full=full, quiet=quiet, verbose=verbose)


@_command
def check(
    job: Job,
    max_duplication: Annotated[
        str, typer.Option("--max-duplication", help="How much may repeat, as a share of the bytes: 5% or 0.05.")
    ] = "0%",
    max_duplication_per_document: Annotated[
        str, typer.Option("--max-duplication-per-document", help="The same, of each document.")
    ] = "100%",
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="Findings that are accepted: only new ones count.")
    ] = None,
    update_baseline: Annotated[bool, typer.Option("--update-baseline", help="Accept what is found now.")] = False,
    format: Annotated[str, typer.Option("--format", help="text, json, sarif, github or junit.")] = "text",
    report: Annotated[
        list[Path] | None, typer.Option(help="Write a report too: .txt, .json, .html, .sarif, .xml (JUnit).")
    ] = None,
) -> int:
    """Say what would go. Exit 1 when it is more than allowed. Writes no text."""
    from dedup.cli.checking import Gate, check_inputs

    kind = _choice("--format", format, "text", "json", "sarif", "github", "junit").replace("text", "lines")
    limits = (
        _share("--max-duplication", max_duplication),
        _share("--max-duplication-per-document", max_duplication_per_document),
    )
    return check_inputs(job, Gate(*limits, baseline, update_baseline, kind, report or []))


@_command
def report(
    job: Job,
    format: Annotated[str, typer.Option("--format", help="text, json, html, sarif, github or junit.")] = "text",
    full: Full = False,
    explain: Annotated[bool, typer.Option("--explain", help="One document: every match considered.")] = False,
    color: Annotated[str, typer.Option("--color", help="auto, always or never.")] = "auto",
) -> int:
    """Show what would go, what stays though it repeats, and why. Writes no text."""
    _choice("--format", format, "text", "json", "html", "sarif", "github", "junit")
    _choice("--color", color, "auto", "always", "never")
    if not explain:
        return report_inputs(job, format, full, color)
    if format != "text":
        raise UsageError("--explain: there is --format text only")
    return explain_input(job, full, color)


@app.command()
def restore(
    clean: Annotated[str, typer.Argument(metavar="CLEAN", help="The clean file, or the folder that -d wrote.")],
    manifest: Annotated[Path, typer.Option(help="The file that clean --manifest wrote.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the input here.")] = None,
    directory: Annotated[Path | None, typer.Option("-d", "--directory", help="Write the inputs below here.")] = None,
) -> None:
    """Rebuild the input, byte for byte, from the clean text and its manifest."""
    raise typer.Exit(restore_files(clean, manifest, output, directory))


def _indexed(function: Callable[..., int]) -> Callable[..., int]:
    return _command(function, index)


@_indexed
def add(job: Job, db: Database) -> int:
    """Add the documents of the inputs that repeat no other; a missing index is made."""
    from dedup.cli.indexing import add_inputs

    return add_inputs(replace(job, engine=replace(job.engine, index=os.fspath(db), add=True)))


@_indexed
def search(
    job: Job,
    db: Database,
    format: Annotated[str, typer.Option("--format", help="text or json, one hit a line.")] = "text",
) -> int:
    """Say which documents and passages of the inputs the index has, and from where."""
    from dedup.cli.indexing import search_inputs

    _choice("--format", format, "text", "json")
    return search_inputs(replace(job, engine=replace(job.engine, index=os.fspath(db))), format)


@index.command()
def forget(
    db: Database,
    id: Annotated[str | None, typer.Option("--id", help="The documents of this id.")] = None,
    run: Annotated[int | None, typer.Option("--run", help="All documents of the run with this number.")] = None,
) -> None:
    """Remove documents from the index."""
    from dedup.cli import indexing

    raise typer.Exit(indexing.forget(os.fspath(db), id, run))


@index.command()
def stats(db: Database, format: Annotated[str, typer.Option("--format", help="text or json.")] = "text") -> None:
    """Say what the index holds, and its runs."""
    from dedup.cli import indexing

    _choice("--format", format, "text", "json")
    raise typer.Exit(indexing.stats(os.fspath(db), format))


@index.command()
def verify(
    db: Database,
    sample: Annotated[int | None, typer.Option("--sample", min=1, help="Read so many documents only.")] = None,
) -> None:
    """Read the texts of the index again and compare them with what it stores. Exit 2 where they differ."""
    from dedup.cli import indexing

    raise typer.Exit(indexing.verify(os.fspath(db), sample))
