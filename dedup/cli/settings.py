"""Settings of a project: `[tool.dedup]` of the nearest pyproject.toml, or the nearest dedup.toml, as default values.

Why: a team says once how its batches are read and judged, beside the data, and every command and CI does so. What is
given on the command line goes before it; what is written, and where, is said there only. The bare filter reads nothing.

    [tool.dedup]                  dedup clean --near --text-field body ...
    near = true             ->
    text-field = "body"
    [tool.dedup.check]            dedup check --near --text-field body --max-duplication 5% ...
    max-duplication = "5%"
"""

import difflib
import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from typing import Any

from dedup.errors import UsageError
from dedup.io import files
from dedup.report.safe import safe

# What one call is to do, and where to, is said in the call.
_CALL = {
    "inputs", "files_from", "null", "output", "directory", "in_place", "manifest", "report", "update_baseline",
    "explain", "full", "verbose", "quiet", "config", "print_config", "db", "help",
}  # fmt: skip


def find(folder: str, named: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the file with the settings that hold in `folder` and its table; nothing where there is none.

    `named` is the file to take instead. Raises InputError or UsageError for one that cannot be read.
    """
    if named is not None:
        return named, _table(named) or {}
    for place in [Path(folder), *Path(folder).parents]:
        for name in ("dedup.toml", "pyproject.toml"):
            path = os.fspath(place / name)
            if os.path.isfile(path) and (table := _table(path)) is not None:
                return path, table
    return "", {}


def named(arguments: Sequence[str]) -> str | None:
    """Return the file that the arguments name for the settings, if they do."""
    for at, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--config="):
            return argument.partition("=")[2]
        if argument == "--config" and at + 1 < len(arguments):
            return arguments[at + 1]
    return None


def _table(path: str) -> dict[str, Any] | None:
    """The settings in a file; None where it has none."""
    data: Any
    try:
        data = tomllib.loads(files.read(path).decode("utf-8"))
    except ValueError as error:
        raise UsageError(
            f"{files.show(path)}: is not TOML ({error}); mend it, or name another file with --config"
        ) from None
    if os.path.basename(path) == "pyproject.toml":
        tool = data.get("tool")
        data = tool.get("dedup") if isinstance(tool, dict) else None
    return data if isinstance(data, dict) else None


def arguments(
    path: str, table: Mapping[str, Any], command: str, commands: Mapping[str, Sequence[Parameter]]
) -> list[str]:
    """Return the settings for `command` as arguments, to stand before those that were given.

    `commands` are the parameters of each command. Raises UsageError naming file and key.
    """
    own = table.get(command.partition(" ")[0])  # `report` and `index` are settings too, where they are no table
    own = own if isinstance(own, dict) else {}
    shared = {key: value for key, value in table.items() if not isinstance(value, dict)}
    for name in sorted(set(table) - set(shared) - {name.partition(" ")[0] for name in commands}):
        raise UsageError(f"{files.show(path)}: there is no command {name}, of which [{name}] tells the settings")
    known = {p.name: p for p in commands[command] if p.name not in _CALL}
    every = {p.name for parameters in commands.values() for p in parameters} - _CALL
    out: list[str] = []
    for key, value in {**shared, **own}.items():
        name = key.replace("-", "_")
        if name in known:
            out += _argument(path, key, value, known[name])
        elif name not in every or key in own:
            close = difflib.get_close_matches(name, sorted(known), 1)
            hint = f"did you mean {close[0].replace('_', '-')}?" if close else f"see dedup {command} --help"
            raise UsageError(f"{files.show(path)}: there is no setting {key} for {command}; {hint}")
    return out


def _argument(path: str, key: str, value: Any, parameter: Parameter) -> list[str]:
    """A setting as arguments; a path leads from the folder of the file."""
    if key == "near" and isinstance(value, float):
        return ["--near", f"--similarity={value}"]
    option, kind = "--" + key.replace("_", "-"), str(parameter.annotation)
    flag, number = isinstance(parameter.default, bool), "int" in kind.split(",")[0] or "float" in kind.split(",")[0]
    fits = isinstance(value, (int, float)) if number else isinstance(value, (int, float, str, list))
    if flag != isinstance(value, bool) or not fits:
        needed = "true or false" if flag else "a number" if number else "a text or a number"
        raise UsageError(f"{files.show(path)}: {key} = {value!r}: {needed} is needed")
    if flag:
        return [option] if value else []
    several = "list" in kind
    values = value if isinstance(value, list) and several else [value]
    texts = [",".join(map(str, v)) if isinstance(v, list) else str(v) for v in values]
    if "Path" in kind:
        texts = [os.path.join(os.path.dirname(path), text) for text in texts]
    return [f"{option}={text}" for text in texts]


def shown(path: str, values: Mapping[str, Any]) -> str:
    """Return the settings of a call in the form of a dedup.toml; `path` is the file that some of them are from."""
    lines = [f"# defaults from {safe(path)}" if path else "# no file with settings was found"]
    for name, value in values.items():
        if name not in _CALL and value is not None and value != [] and value != "":
            lines.append(f"{name.replace('_', '-')} = {json.dumps(value, default=os.fspath)}")
    return "\n".join(lines) + "\n"
