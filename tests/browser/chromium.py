"""Debian's Chromium, driven from a process of its own: Playwright's event loop and Twisted's reactor never meet."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from attrs import frozen
from browser.looks import Look
from browser.watch import Watch
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright

PROGRAM = shutil.which("chromium")
PATIENCE = 10_000
"""Milliseconds within which everything on a page happens."""
FAILURES = Path(__file__).parents[2] / "var" / "browser"
"""Where the last picture of a walk that failed is put."""


@frozen
class Job:
    """A walk through pages, and the windows in which it is taken."""

    function: Callable[..., Any]
    arguments: Sequence[Any]
    looks: Sequence[Look]
    refused: Collection[str]


@frozen
class Chromium:
    """The process, as tests see it."""

    pipe: Connection

    def walk(
        self, function: Callable[..., Any], *arguments: Any, on: Sequence[Look], refused: Collection[str] = ()
    ) -> Any:
        """Return what a function of a module returns, given a page for each look, and these arguments, over there.

        :raise AssertionError: it failed, or something went wrong on a page meanwhile; answers to `refused` paths may
            be 4xx, like those to any form.
        """
        self.pipe.send(Job(function, arguments, on, refused))
        good, result = self.pipe.recv()
        if not good:
            raise AssertionError(result)
        return result


@contextmanager
def started() -> Iterator[Chromium]:
    """Run the process for as long as it is needed."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=_serve, args=(there,), name="chromium")
    process.start()
    there.close()
    try:
        yield Chromium(here)
    finally:
        with suppress(BrokenPipeError):
            here.send(None)
        process.join()


@contextmanager
def launched(*arguments: str) -> Iterator[Browser]:
    """Run the browser itself."""
    with sync_playwright() as playwright:
        browser = _launch(playwright, arguments)
        try:
            yield browser
        finally:
            browser.close()


def _launch(playwright: Playwright, arguments: Sequence[str]) -> Browser:
    # Chromium refuses to put root into its sandbox.
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=PROGRAM, args=[*as_root, *arguments])


def _serve(pipe: Connection) -> None:
    expect.set_options(timeout=PATIENCE)
    with launched() as browser, suppress(EOFError):
        while job := pipe.recv():
            try:
                answer = (True, _walk(browser, job))
            except Exception:  # noqa: BLE001  # whatever it is, the test has to hear of it
                answer = (False, f"{job.function.__name__} failed over there:\n{traceback.format_exc()}")
            pipe.send(answer)


def _walk(browser: Browser, job: Job) -> Any:
    with ExitStack() as windows:
        watches, pages = [], []
        for look in job.looks:
            context = windows.enter_context(browser.new_context(**look.options()))
            context.set_default_timeout(PATIENCE)
            watches.append(Watch(look.site, job.refused, look.elsewhere))
            watches[-1].follow(context)
            pages.append(context.new_page())
        try:
            result = job.function(*pages, *job.arguments)
        except Exception as failure:
            failure.add_note(_seen(job, pages, watches))
            raise
        problems = [problem for watch in watches for problem in watch.problems]
        assert not problems, _seen(job, pages, watches)
        return result


def _seen(job: Job, pages: Sequence[Page], watches: Sequence[Watch]) -> str:
    """Return where the pages stood when a walk failed, and keep their pictures."""
    lines = []
    for number, (page, watch) in enumerate(zip(pages, watches, strict=True)):
        picture = FAILURES / f"{job.function.__name__}-{number}.png"
        with suppress(Error):
            page.screenshot(path=picture)
        lines += [f"{job.looks[number].name}: {page.url}, see {picture}", *watch.problems]
    return "\n".join(lines)
