"""User names after a word that announces one: "login dholt4b", "username: emeka", "signed in as d.holt"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from otrack_risk.text.patterns_places import words
from otrack_risk.text.spans import Span

LOGIN = (  # words that announce a user name; each note is looked through for them first
    *("user", "login", "log in", "log-in", "logon", "log on", "log-on", "logged", "logging", "logs in", "handle"),
    *("gamertag", "insta", "snap", "tiktok", "tik tok", "discord", "roblox", "xbox", "account", "password"),
    *("sign in", "signed in", "signing in", "signs in"),
)
STEMS = (  # one of them is in each of these: fewer to look for, in most notes in vain
    *("log", "user", "sign", "acco", "passw", "handle", "insta"),
    *("snap", "gamert", "tik", "disco", "robl", "xbox"),
)
_USER = re.compile(
    r"\b(?:user ?-?names?|user ?ids?|users?:|log(?:ged|ging|s)?[ -]?(?:in|on)s?(?: as)?|"
    r"sign(?:ed|ing|s)? in as|handle|gamertag|insta(?:gram)?|snap(?:chat)?|tik ?tok|discord|roblox|xbox|accounts?|"
    r"passwords?)(?![a-z])(?: ?(?:/|and|&) ?passwords?)?(?P<link>"
    r"(?: (?:name|id|is|was|are|details|changed|reset|locked|unlocked|set|done|again|today|this morning|now|as|to|"
    r"under|for (?!\w*[0-9])\w{1,20}|for))*[ ]?[:=–-]?[ ]?)[\"'“‘(@]{0,2}",
    re.I,
)
_USER_TOKEN = re.compile(r"[A-Za-z0-9](?:[\w.-]{1,30}\w)(?![\w@/\\]|\.\w)")
_USER_NEXT = re.compile(r"[\"'”’)]?(?:,| and| &| /|/) ?[\"'“‘(@]?")
_NO_USER = re.compile(
    r"(?:y|yr|year|ks|class|room|term|week|day|www\..*|[0-9].*(?:am|pm|st|nd|rd|th)|x|no|v)[0-9.-]*[a-z]?\Z"
    r"|.*\.(?:com|uk|org|net|co|ie)\Z",
    re.I,
)
_NO_ANSWER = words(
    "forgotten unknown none same wrong reset lost not tbc blank missing locked broken needed required invalid "
    "see and the his her their working expired disabled deleted incorrect correct changed given sent"
)


def users(text: str) -> Iterator[Span]:
    """User names after a word that announces one; what is no plain word, or stands after a colon or an equals sign."""
    for said in _USER.finditer(text):
        if said[0][:4].lower() == "pass" and " for" not in said["link"].lower():
            continue  # what follows is the password
        at, told = said.end(), ":" in said["link"] or "=" in said["link"] or said[0].endswith(":")
        while token := _USER_TOKEN.match(text, at):
            word = token[0]
            plain = word.isalpha()
            if _NO_USER.match(word) or word.isdigit() or (plain and (not told or word.lower() in _NO_ANSWER)):
                break
            if (plain and not (word.islower() or word.isupper())) or not re.search("[A-Za-z]", word):
                break
            if not plain and re.fullmatch(r"[A-Za-z]+(?:-[A-Za-z]+)+", word):
                break  # an ordinary word with a hyphen
            yield Span(token.start(), token.end(), "USERNAME", 0.6 if plain else 0.85, "username")
            more = _USER_NEXT.match(text, token.end())
            if more is None:
                break
            at, told = more.end(), False
