"""User names that are made of a child's name: dholt, d.holt3, 22dholt, holtd, daisy.holt, daisyh."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from otrack_risk.text import folding
from otrack_risk.text.names import Names
from otrack_risk.text.note import Found, Note, Place, touches

_MADE = re.compile(  # what a user name has and a word has not
    r"[0-9._](?:(?<=[0-9])(?=[a-zA-Z]{4})|(?<=[a-zA-Z]{4}[0-9])|(?<=[a-z][._])(?=[a-z]))"
)
_LOGIN_MADE = re.compile(  # 22dholt, d.holt3, daisy.holt: letters, parted once, and digits at one end
    r"(?<![\w@.\\/-])(?:[0-9]{0,4}[^\W\d_]{1,15}[._][^\W\d_]{2,20}[0-9]{0,4}"
    r"|[0-9]{1,4}[^\W\d_]{4,30}|[^\W\d_]{4,30}[0-9]{1,4})(?![\w@\\/-]|\.\w)"
)
_LOGIN_PLAIN = re.compile(r"(?<![\w@.\\/'’-])[a-z]{5,30}(?![\w@\\/'’-]|\.\w)")
_ACCOUNT = frozenset(  # words that what is looked for below begins with
    {"user", "users", "username", "usernames", "account", "accounts", "password", "passwords", "reset", "locked"}
    | {"portal", "sign", "signs", "signed", "signing"}
    | {f"log{ending}{on}" for ending in ("", "s", "ged", "ging") for on in ("", "in", "on", "ins", "ons")}
)
_ACCOUNTS = re.compile(
    r"(?<!\w)(?:user ?names?|users?|log(?:s|ged|ging)? ?(?:in|on)s?|sign(?:s|ed|ing)? in|accounts?|passwords?|reset|"
    r"locked out|portal)(?!\w)"
)


def found_logins(note: Note, names: Names, a_word: Callable[[str], bool], taken: Sequence[Place]) -> list[Found]:
    """User names of the roster: with digits or a dot anywhere, of letters alone where a note speaks of accounts.

    Parameters
    ----------
    a_word : whether a folded word is written without thinking of a name
    taken : stretches that are something else: e-mail addresses, file names
    """
    text, folded = note.text, note.folded
    hits = list(_LOGIN_MADE.finditer(text)) if _MADE.search(text) else []
    if not _ACCOUNT.isdisjoint(note.words) and _ACCOUNTS.search(folded):
        hits += _LOGIN_PLAIN.finditer(text)
    found = []
    for hit in hits:
        made = "".join(char for char in folding.fold(hit[0]) if char.isalpha())
        rows = names.login(made)
        if rows and not a_word(made) and not touches(hit.start(), hit.end(), taken):
            found.append(Found(hit.start(), hit.end(), 0.8, "username", rows))
    return found
