"""Texts from AWS and from files, made safe to print.

Names, tags and documents are whatever somebody typed: an escape sequence in one must not move a reader's cursor, nor a
right-to-left mark turn a line around.
"""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str, *, most: int = 2000) -> str:
    """The text with every control, format and unassigned character as its code point, on one line, cut to `most`."""
    if text.isascii() and text.isprintable() and len(text) <= most:
        return text
    shown = "".join(c if unicodedata.category(c) not in _UNSAFE else f"<{ord(c):04x}>" for c in text[: most + 1])
    return shown if len(text) <= most else shown[:most] + "…"
