"""Casbin: a model and its policy, decided by pycasbin itself, request by request."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl

from otrack_risk.access.inherit import BETWEEN
from otrack_risk.access.model import LONGEST, Fault, Grants, build
from otrack_risk.errors import FileError, ParameterError
from otrack_risk.frames import Skipped

_PARTS = {  # what a request may name, and what casbin's documents call it
    "sub": ("sub", "subject", "user"),
    "dom": ("dom", "domain", "tenant", "tenant_id"),
    "obj": ("obj", "object", "resource"),
    "act": ("act", "action", "method"),
}
_PATTERN = re.compile(r"\b(keyMatch\d?|regexMatch|globMatch|ipMatch)\s*\(")
_ATTRIBUTE = re.compile(r"\br\d*[._](\w+)\.(\w+)")
_CONSTANT = re.compile(r"\br_(\w+)\s*==\s*[\"']([^\"']*)[\"']|[\"']([^\"']*)[\"']\s*==\s*r_(\w+)")
_ROLE_ONLY = re.compile(r"\bg\(\s*r_\w+\s*,\s*p_\w+(\s*,\s*r_\w+)?\s*\)|\br_sub\s*==\s*p_sub\b")
_SAME_AS = re.compile(r"\br_(\w+)\s*==\s*r_(\w+)\.(\w+)")
_Given = Mapping[str, Mapping[str, Mapping[str, Any]]]
_LINKS = 9  # between roles that pycasbin follows: its role manager stops at max_hierarchy_level, 10, of names
_LINE = 10 * LONGEST  # letters of a line of a policy
_PATHS = 50  # chains of roles from one account to one rule that are kept apart


@dataclass(frozen=True)
class _Rule:
    line: int  # of the policy file, from 1
    section: str  # p, g, g2 ...
    words: tuple[str, ...]


def recognise(path: Path) -> bool:
    """Whether a file is a Casbin model: ``.conf`` with its section of matchers."""
    return path.suffix == ".conf" and path.is_file() and "[matchers]" in path.read_text("utf-8", errors="replace")


def read(model: Path, policy: Path, attributes: Path | None = None) -> Grants:
    """Grants of a Casbin model and policy: every (subject, object, action) that pycasbin allows.

    Parameters
    ----------
    model, policy : the ``model.conf`` and the policy's CSV
    attributes : for models that ask for attributes (``r.sub.Age``): a JSON object
        ``{"sub": {"alice": {"Age": 30}}, "obj": {...}}``; the named subjects and objects are asked about too

    Notes
    -----
    Subjects, objects, domains and actions are those that the policy, the constants of the matcher and ``attributes``
    name. A subject that others have as their role is a role, and no account. An object or action that is a pattern
    is asked about as it is written. A domain is read as a school, an object as a category of data, an action as a
    verb; words that are not known stay, as unknown.

    Each allowed request has a row for each rule that allows it by itself, and for each chain of roles to that
    rule's subject; when all those rules are revoked, nothing allows the request. Where everything is allowed that
    no rule denies, there is no rule to name.

    Raises
    ------
    FileError
        A file that cannot be read, or is no model or policy of Casbin; the line is named, its words are not.
    ParameterError
        The model asks for attributes that were not given, or for something other than a subject, an object, an
        action and a domain.
    """
    rules, seen, strange = _rules(policy, sections := _sections(model))
    decided = _Decider(model, rules, sections, _attributes(attributes))
    rows, silent = [], 0
    for request in decided.requests():
        reasons = decided.reasons(request)
        if reasons is None:
            continue
        silent += not reasons
        told: list[tuple[_Rule | None, tuple[str, ...]]] = [*reasons] or [(None, ())]
        for rule, chain in told:
            scope = f"school:{request['dom']}" if "dom" in request else "all"
            held = [request["sub"], chain[0] if chain else None, request["obj"], request["act"], scope]
            rows.append((*held, BETWEEN.join(chain) if len(chain) > 1 else None, rule and rule.line))
    columns = dict.fromkeys(("account", "role", "category", "verb", "scope", "chain"), pl.String)
    notes = [f"{policy.name}: pycasbin decided every request; accounts with the same roles were asked about once."]
    if _PATTERN.search(decided.matcher):
        notes.append(f"{policy.name}: objects that are patterns were asked about as they are written.")
    if idle := decided.idle():
        notes.append(
            f"{policy.name}: of {decided.rules:,} rules, {idle:,} allow nobody anything: no account comes to them, a "
            "condition never holds, or another rule denies it."
        )
    if silent:
        notes.append(f"{policy.name}: {silent:,} requests are allowed only because no rule denies them.")
    skipped = [Skipped(policy.name, strange, "the model lacks this kind of line")] if strange else []
    frame = pl.DataFrame(rows, schema={**columns, "line": pl.Int64}, orient="row")
    frame = frame.with_columns(source=pl.lit(policy.name))
    return build(frame, name=policy.name, faults=decided.faults(), notes=notes, seen=seen, skipped=skipped)


class _Decider:
    """One enforcer, and what can be asked of it."""

    def __init__(
        self, model: Path, rules: Sequence[_Rule], sections: Mapping[str, Mapping[str, tuple[str, ...]]], given: _Given
    ) -> None:
        import casbin
        from casbin.persist.adapter import Adapter

        logging.getLogger("casbin").setLevel(logging.ERROR)  # it would write every request, with the names in it

        class Lines(Adapter):  # type: ignore[misc]
            def load_policy(self, model: Any) -> None:
                for rule in rules:
                    model.model[rule.section[0]][rule.section].policy.append(list(rule.words))

        try:
            self._enforcer = casbin.Enforcer(str(model), Lines())
        except Exception as error:
            raise FileError(
                f"{model.name}: pycasbin does not take this model and policy ({type(error).__name__}).",
                "check that sections, definitions and the number of words in each line agree.",
            ) from None
        self._where = model.name
        self.matcher = self._enforcer.model["m"]["m"].value
        self._request = list(_parts(sections["r"]["r"], model.name))
        self._place = {part: place for place, part in enumerate(_parts(sections["p"]["p"], "", strict=False))}
        self._effect = sections["p"]["p"].index("eft") if "eft" in sections["p"]["p"] else None
        lines = {rule.words: rule for rule in reversed(rules) if rule.section == "p"}
        held = self._enforcer.model["p"]["p"].policy  # in the order of decision, which may be by priority
        self._rules = [lines[tuple(words)] for words in held]
        links = [rule.words for rule in rules if rule.section == "g"]
        self._up: dict[str, set[tuple[str, str]]] = defaultdict(set)  # member -> its roles, each in a domain
        for member, role, *domain in links:
            self._up[member].add((role, domain[0] if domain else ""))
        self._roles = {words[1] for words in links}
        kinds = [rule.words[0] for rule in rules if rule.section not in ("p", "g")]  # objects in groups of objects
        self._shapes = self._with_attributes(given)
        self._values = self._universe(links, kinds, given)
        self._same = self._told_by_equals()
        self._index: dict[tuple[str, ...], list[_Rule]] = defaultdict(list)
        for rule in self._rules:
            self._index[tuple(rule.words[self._place[part]] for part in self._same)].append(rule)
        self._decided: dict[tuple[str, ...], list[_Rule] | None] = {}
        self._at_work: set[_Rule] = set()

    @property
    def asked(self) -> int:
        """Requests that pycasbin decided; accounts that no rule can tell apart were decided once."""
        return len(self._decided)

    @property
    def rules(self) -> int:
        """Rules of the policy that allow or deny."""
        return len(self._rules)

    def idle(self) -> int:
        """Rules that would allow and by which no request was allowed."""
        return len({rule for rule in self._rules if self._allows(rule)} - self._at_work)

    def requests(self) -> Iterator[dict[str, str]]:
        """Every request about an account."""
        for words in product(*self._values.values()):
            yield dict(zip(self._values, words, strict=True))

    def reasons(self, request: Mapping[str, str]) -> list[tuple[_Rule, tuple[str, ...]]] | None:
        """The rules that allow a request, each with the chain of roles to it; None: it is denied."""
        key = (self._alike(request["sub"]), *(request[part] for part in request if part != "sub"))
        if key not in self._decided:
            self._decided[key] = self._decide(request)
        rules = self._decided[key]
        if rules is None:
            return None
        return [(rule, chain) for rule in rules for chain in self._chains(request, rule)]

    def faults(self) -> tuple[Fault, ...]:
        """Rules given to a role that no account has, and roles that reach themselves."""
        holders = {str(self._holder(rule)) for rule in self._rules} & self._roles
        empty = holders - {role for account in self._values["sub"] for role in self._above(account)}
        near = {role for account in self._values["sub"] for role in self._above(account, _LINKS)}
        round_trip = {role for role in self._roles if role in self._above(role)}
        return (
            *(
                Fault("grant_to_nobody", role, "rules are given to a role that no account has", "remove its rules")
                for role in sorted(empty)
            ),
            *(
                Fault(
                    "grant_to_nobody",
                    role,
                    f"accounts come to the role over more than {_LINKS} links, and pycasbin follows no more",
                    "give the role to roles or accounts that are nearer",
                )
                for role in sorted(holders - empty - near)
            ),
            *(
                Fault("role_cycle", role, "the role is, over others, a role of itself", "remove one of the links")
                for role in sorted(round_trip)
            ),
        )

    def _decide(self, request: Mapping[str, str]) -> list[_Rule] | None:
        may = self._index.get(tuple(request[part] for part in self._same), [])
        if not self._ask(request, may):
            return None
        found = [rule for rule in may if self._allows(rule) and self._ask(request, [rule])]
        self._at_work |= set(found)
        return found

    def _ask(self, request: Mapping[str, str], rules: Sequence[_Rule]) -> bool:
        """What pycasbin says where only these rules can match; without one, any other stands in for them all."""
        policy = self._enforcer.model["p"]["p"]
        policy.policy = [list(rule.words) for rule in (rules or self._rules[:1])]
        shaped = [self._shapes.get((part, request[part]), request[part]) for part in self._request]
        try:
            return bool(self._enforcer.enforce(*shaped))
        except Exception as error:
            raise ParameterError(
                f"{self._where}: pycasbin cannot decide a request ({type(error).__name__}).",
                "check the matcher, and that every subject and object has the attributes that it asks for.",
            ) from None

    def _allows(self, rule: _Rule) -> bool:
        by_default = "some(where" not in self._enforcer.model["e"]["e"].value and "priority" not in self._effect_text()
        return not by_default and (self._effect is None or rule.words[self._effect] == "allow")

    def _effect_text(self) -> str:
        return str(self._enforcer.model["e"]["e"].value).lower()

    def _holder(self, rule: _Rule) -> str | None:
        return rule.words[self._place["sub"]] if "sub" in self._place else None

    def _alike(self, subject: str) -> str:
        """What the rules can see of a subject: its roles, where the matcher asks for no more and no rule names it."""
        if subject in self._named or not self._by_role:
            return subject
        return "\x1f".join(sorted(f"{role}\x1e{domain}" for role, domain in self._up[subject]))

    def _chains(self, request: Mapping[str, str], rule: _Rule) -> list[tuple[str, ...]]:
        """The chains of roles from the account to the holder of a rule; an empty one where it is named itself."""
        holder, domain = self._holder(rule), request.get("dom", "")
        found: list[tuple[str, ...]] = []
        open_ends: list[tuple[str, ...]] = [()]
        while open_ends and len(found) < _PATHS:
            chain = open_ends.pop(0)
            for role, of in sorted(self._up.get(chain[-1] if chain else request["sub"], ())):
                if role in chain or of not in ("", domain):
                    continue
                (found if role == holder else open_ends).append((*chain, role))
        return found or [()]

    def _above(self, start: str, links: int | None = None) -> set[str]:
        """The roles above a name, over any number of links or no more than some."""
        found: set[str] = set()
        ahead, step = {start}, 0
        while ahead and step != links:
            ahead = {role for name in ahead for role, _ in self._up.get(name, ())} - found
            found |= ahead
            step += 1
        return found

    def _universe(self, links: Sequence[Sequence[str]], kinds: Iterable[str], given: _Given) -> dict[str, list[str]]:
        """What requests are made of: the words of the policy, of the matcher, and the things with attributes."""
        found: dict[str, dict[str, None]] = {part: {} for part in self._request}
        for part, words in found.items():
            if part in self._place:
                words |= dict.fromkeys(rule.words[self._place[part]] for rule in self._rules)
        found["sub"] |= dict.fromkeys(link[0] for link in links)
        if "dom" in found:
            found["dom"] |= dict.fromkeys(link[2] for link in links if len(link) > 2)
        if "obj" in found:
            found["obj"] |= dict.fromkeys(kinds)
        for left, word, other, right in _CONSTANT.findall(self.matcher):
            if (part := _part_of(left or right)) in found:
                found[part][word or other] = None
        for part, other, attribute in _SAME_AS.findall(self.matcher):
            if (of := _part_of(part)) in found:
                found[of] |= dict.fromkeys(str(each.get(attribute)) for each in given.get(_part_of(other), {}).values())
        if "act" in found and "regexMatch" in self.matcher:  # an action of a request is a word, and no pattern
            found["act"] = dict.fromkeys(
                word.strip("()^$ ") for pattern in found["act"] for word in pattern.split("|") if word.strip("()^$ ")
            )
        self._by_role = "r_sub" not in _ROLE_ONLY.sub("", self.matcher) and "eval(" not in self.matcher
        named = {part: dict.fromkeys(given.get(part, ())) for part in found}
        self._named = set(found["sub"]) - {link[0] for link in links} | {str(self._holder(r)) for r in self._rules}
        for part, words in found.items():
            asked = any(_part_of(each) == part for each, _ in self._attributes_asked())
            found[part] = named[part] if asked else words | named[part]
        found["sub"] = {word: None for word in found["sub"] if word not in self._roles}
        return {part: list(words) for part, words in found.items()}

    def _attributes_asked(self) -> list[tuple[str, str]]:
        told = " ".join([self.matcher, *(word for rule in self._rules for word in rule.words if "r." in word)])
        return _ATTRIBUTE.findall(told)

    def _with_attributes(self, given: _Given) -> dict[tuple[str, str], Any]:
        """Subjects and objects as things with attributes, where the matcher asks for such."""
        parts = {_part_of(part) for part, _ in self._attributes_asked()} & set(self._request)
        if lacking := sorted(part for part in parts if not given.get(part)):
            raise ParameterError(
                f"{self._where}: the matcher asks for attributes of {', '.join(f'r.{part}' for part in lacking)}, and "
                "none are given, so that no request can be decided.",
                'give them as JSON: {"sub": {"NAME": {"ATTRIBUTE": value}}}, or give the decisions as a CSV of grants.',
            )
        return {
            (part, name): SimpleNamespace(**attributes) for part in parts for name, attributes in given[part].items()
        }

    def _told_by_equals(self) -> list[str]:
        """Parts of a request that a rule must hold word for word: other rules then need not be asked about."""
        if "||" in self.matcher or " or " in self.matcher:
            return []
        clauses = {re.sub(r"\s+", "", clause) for clause in re.split(r"&&|\band\b", self.matcher)}
        names = {part: re.escape(part) for part in self._place if part in self._request}
        return [
            part
            for part in names
            if any(
                _part_of(left) == part == _part_of(right)
                for clause in clauses
                for left, right in re.findall(r"^r_(\w+)==p_(\w+)$", clause)
            )
        ]


def _sections(model: Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """The words of the definitions of a model, by section and key: ``{"r": {"r": ("sub", "obj", "act")}, ...}``."""
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for line in _text(model).splitlines():
        if match := re.match(r"\s*([rpg])(\d*)\s*=(.*)", line):
            found[match[1]][match[1] + match[2]] = tuple(word.strip() for word in match[3].split(","))
    if "r" not in found.get("r", {}) or "p" not in found.get("p", {}):
        raise FileError(
            f"{model.name}: no definition of a request and of a policy.",
            "a Casbin model has the sections request_definition, policy_definition, policy_effect and matchers.",
        )
    return found


def _rules(policy: Path, sections: Mapping[str, Mapping[str, tuple[str, ...]]]) -> tuple[list[_Rule], int, int]:
    """The lines of a policy that the model knows, how many there are in all, and how many it does not know."""
    rules, strange, seen = [], 0, 0
    for number, line in enumerate(_text(policy).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        seen += 1
        key, *words = _words(line) if len(line) <= _LINE else ["", line]
        if max(map(len, words), default=0) > LONGEST:
            raise FileError(
                f"{policy.name}, line {number}: a word of more than {LONGEST:,} letters.", "correct the line."
            )
        defined = sections.get(key[:1], {}).get(key)
        if defined is None:
            strange += 1
            continue
        if len(words) != len(defined) and not (key.startswith("g") and len(words) == 2):
            raise FileError(
                f"{policy.name}, line {number}: {len(words)} words, and the model defines {len(defined)}.",
                "correct the line: a comma within a word needs brackets around it, quotation marks do not help.",
            )
        rules.append(_Rule(number, key, tuple(words)))
    return rules, seen, strange


def _words(line: str) -> list[str]:
    """The words of a line as pycasbin cuts it: at commas outside brackets."""
    words, depth = [""], 0
    for letter in line:
        depth += (letter in "[(") - (letter in "])")
        if letter == "," and depth == 0:
            words.append("")
        else:
            words[-1] += letter
    return [word.strip() for word in words]


def _attributes(path: Path | None) -> _Given:
    if path is None:
        return {}
    try:
        given = json.loads(_text(path))
        return {part: {str(name): dict(held) for name, held in things.items()} for part, things in given.items()}
    except (ValueError, AttributeError, TypeError, RecursionError):
        raise FileError(
            f"{path.name}: not attributes of subjects and objects.",
            'write {"sub": {"NAME": {"ATTRIBUTE": value}}, "obj": {...}}.',
        ) from None


def _parts(names: Sequence[str], where: str, *, strict: bool = True) -> list[str]:
    found = [_part_of(name) for name in names]
    if strict and (strange := [name for name, part in zip(names, found, strict=True) if part not in _PARTS]):
        raise ParameterError(
            f"{where}: a request is made of {', '.join(names)}; {', '.join(strange)} is not understood.",
            "requests of a subject, a domain, an object and an action are; give other decisions as a CSV of grants.",
        )
    return found


def _part_of(name: str) -> str:
    return next((part for part, names in _PARTS.items() if name.lower() in names), name)


def _text(path: Path) -> str:
    try:
        if "\0" not in (text := path.read_text(encoding="utf-8-sig")):
            return text
    except (OSError, UnicodeDecodeError):
        pass
    raise FileError(f"{path.name} cannot be read as text.", "name the file, saved as UTF-8.") from None
