"""`docs/configuration.md`, from the declarations of the settings."""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import Any

from flexid.base.configuration import DEFAULT_FILES, Key, keys
from flexid.base.settings import Settings

HEAD = """# Configuration

Written by `make docs` from `flexid/base/settings.py`; change the declarations there.

One TOML file: the one that `--config` names, else the environment variable `FLEXID_CONFIG`, else the first that exists
of {files}. Without a file everything has its default.
An environment variable counts more than the file; several values are separated by commas. An unknown key or a bad value
keeps flexid from starting, with the reason.

`flexid config check` tells whether a configuration is right, `flexid config show` what it comes to.
"""
TABLE_HEAD = "| key | environment | values | default | |\n| --- | --- | --- | --- | --- |"


def page() -> str:
    """Return the page."""
    parts = [HEAD.format(files=" and ".join(f"`{path}`" for path in DEFAULT_FILES))]
    section: str | None = ""
    for key in keys():
        if key.section != section:
            section = key.section
            parts.append(f"\n{_heading(section)}\n{TABLE_HEAD}")
        parts.append(_row(key))
    return "\n".join([*parts, ""])


def _heading(section: str | None) -> str:
    if section is None:
        return "## At the top of the file\n"
    described: Any = Settings.model_fields[section].annotation
    return f"## [{section}]\n{described.__doc__}\n"


def _row(key: Key) -> str:
    default = key.info.get_default(call_default_factory=True)
    shown = json.dumps([*default] if isinstance(default, tuple) else default, default=str)
    return (
        f"| `{key.name}` | `{key.variable}` | {_kind(key)} | {'none' if default is None else f'`{shown}`'} "
        f"| {key.info.description} |"
    )


def _kind(key: Key) -> str:
    kind: Any = key.info.annotation
    if isinstance(kind, types.UnionType):
        kind = next(option for option in typing.get_args(kind) if option is not type(None))
    if key.is_list:
        return "list of texts"
    least, most = (_bound(key, name) for name in ("ge", "le"))
    if least is not None:
        return f"{least} to {most}"
    return {bool: "true, false", int: "number", Path: "path"}.get(kind, "text")


def _bound(key: Key, name: str) -> int | None:
    return next((getattr(limit, name) for limit in key.info.metadata if hasattr(limit, name)), None)
