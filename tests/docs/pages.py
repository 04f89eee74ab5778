"""The pages as the tests see them: headings, links, and the blocks that examples are made of.

The info string of a block says what it is. `json fails` and `json passes` begin an example, and `json and` adds to
the one before; `is=` says what the block shows (see `KINDS` in `examples`), `holds=` which credentials the user has. A
block of settings is `toml`: `base` counts for every example of its page, `accepts` are settings that accept what the
failing examples show, and `accepts=ID` those that accept the example with that `id` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONTROLS = DOCS / "controls"
INDEX = CONTROLS / "README.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `words` are those of its info string without "=", `traits` those with it."""

    language: str
    words: tuple[str, ...]
    traits: Mapping[str, str]
    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Example:
    """Blocks that make one account."""

    fails: bool
    blocks: tuple[Block, ...]

    @property
    def traits(self) -> Mapping[str, str]:
        """What the first block says of the example."""
        return self.blocks[0].traits


@dataclass(frozen=True, slots=True)
class Page:
    """A page: headings as (level, text), targets of links, and blocks."""

    path: Path
    text: str
    headings: tuple[tuple[int, str], ...] = ()
    links: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    paragraphs: tuple[str, ...] = field(default=(), repr=False)

    @property
    def anchors(self) -> frozenset[str]:
        """The anchors of the headings, as GitHub makes them."""
        return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for _, text in self.headings)

    def settings(self, word: str) -> tuple[Block, ...]:
        """The blocks of settings that carry a word, alone or as a trait."""
        return tuple(b for b in self.blocks if b.language == "toml" and (word in b.words or word in b.traits))

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples, in order."""
        found: list[list[Block]] = []
        for block in self.blocks:
            if {"fails", "passes"} & set(block.words):
                found.append([block])
            elif "and" in block.words:
                found[-1].append(block)
        return tuple(Example("fails" in blocks[0].words, tuple(blocks)) for blocks in found)

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that the page shows, each on one line."""
        joined = "\n".join(block.text.replace("\\\n", " ") for block in self.blocks if block.language == "console")
        return tuple(line[2:] for line in joined.splitlines() if line.startswith("$ "))


@cache
def read_page(path: Path) -> Page:
    """A page, parsed."""
    text = path.read_text(encoding="utf-8")
    headings: list[tuple[int, str]] = []
    links: list[str] = []
    blocks: list[Block] = []
    paragraphs: list[str] = []
    tokens = MarkdownIt().enable("table").parse(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "inline":
            if before is not None and before.type == "heading_open":
                headings.append((int(before.tag[1:]), token.content))
            elif before is not None and before.type == "paragraph_open":
                paragraphs.append(token.content)
            links += (str(child.attrs["href"]) for child in token.children or () if "href" in child.attrs)
        elif token.type == "fence":
            section = next((name for level, name in reversed(headings) if level == 2), "")
            blocks.append(_block(token.info, token.content, section))
    return Page(path, text, tuple(headings), tuple(links), tuple(blocks), tuple(paragraphs))


def _block(info: str, text: str, section: str) -> Block:
    language, *rest = info.split()
    traits = dict(word.split("=", 1) for word in rest if "=" in word)
    return Block(language, tuple(word for word in rest if "=" not in word), traits, text, section)


def page_of(control: str) -> Page:
    """The page of a control."""
    return read_page(CONTROLS / f"{control}.md")


def rows_of(page: Page) -> Iterator[list[str]]:
    """The cells of the rows of the page's tables, headers left out."""
    table = re.compile(r"^\|(.*)\|$")
    rows = [match[1].split("|") for line in page.text.splitlines() if (match := table.match(line))]
    yield from ([cell.strip() for cell in row] for row in rows if row[0].lstrip().startswith("[`"))
