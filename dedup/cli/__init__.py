"""The command line: options to Config to pipeline to writers. The only code that prints and exits."""

import signal

from dedup.__main__ import complain
from dedup.errors import DedupError

COMMANDS = ("clean", "check", "report", "restore", "index")
_GLOBAL = ("-h", "--help", "--install-completion", "--show-completion")


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code. Without a command's name, the command is `clean`."""
    from dedup.cli.app import app, configured
    from dedup.report.safe import safe

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # to be told leaves no temporary file behind
            signal.signal(number, _stop)
    arguments = _valued(arguments)
    if arguments[0] not in COMMANDS and arguments[0] not in _GLOBAL:
        arguments = ["clean", *arguments]
    try:
        app(args=configured(arguments), prog_name="dedup")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 2
    except DedupError as error:
        return complain(safe(str(error)))
    except MemoryError:
        return complain("not enough memory for this input")
    except RecursionError:
        return complain("the input is nested too deeply")
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from None  # so DuckDB tells it
    return 0


def _stop(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _valued(arguments: list[str]) -> list[str]:
    """The arguments, with `--near 0.85` as the two options that Typer can express: `--near --similarity 0.85`."""
    out: list[str] = []
    for at, argument in enumerate(arguments):
        if argument == "--":
            return out + arguments[at:]
        if argument.startswith("--near="):
            out += ["--near", "--similarity", argument.removeprefix("--near=")]
        elif out and out[-1] == "--near" and argument.replace(".", "", 1).isdigit() and float(argument) < 10:
            out += ["--similarity", argument]
        else:
            out.append(argument)
    return out
