"""Results of cloudsplaining on an AWS account: what its policies let users and roles do with stored data.

What AWS allows is cloudsplaining's word alone: nothing of it is worked out anew here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl

from otrack_risk import reference
from otrack_risk.access.model import LONGEST, Grants, build
from otrack_risk.errors import FileError
from otrack_risk.frames import Skipped

_PRINCIPALS = {"users": "user", "roles": "role", "groups": "group"}
_POLICIES = ("aws_managed_policies", "customer_managed_policies", "inline_policies")
_KEYS = (*_PRINCIPALS, *_POLICIES)
_NOT_TOLD = "(not told)"
_Json = Mapping[str, Any]
_Line = tuple[str | None, str | None, str, str, str, bool]


def recognise(path: Path) -> bool:
    """Whether a file is a JSON of cloudsplaining's results, by its top keys."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(given, dict) and set(_KEYS) <= set(given)


def read(path: Path, holds: Mapping[str, str] | None = None) -> Grants:
    """Grants of cloudsplaining's results.

    Parameters
    ----------
    path : the JSON that ``cloudsplaining scan`` writes (``iam-results-*.json``)
    holds : a bucket (or a service, such as ``rds``) and the category of data in it; None: no category is known

    Returns
    -------
    Grants whose accounts are ``user/NAME`` and ``role/NAME``; a policy (``policy/NAME``) and a group (``group/NAME``)
    is a role, so that the chain names the policy

    Notes
    -----
    Each (principal, policy) is one grant seen. Where cloudsplaining tells of no risk in the policy it is skipped and
    counted: it may still open the things that it names. A policy that the results do not describe, and a principal
    that they show with neither policy nor group, are kept as of unknown content: cloudsplaining has shown an
    administrator so (salesforce/cloudsplaining, issue 154). What is excluded there is kept here, and noted.

    A finding counts for every bucket of ``holds``, unless the policy's allowing statements name buckets, and for
    those alone then.

    Raises
    ------
    FileError
        A file that is no such result; the place in it is told, its words are not.
    """
    given = _document(path)
    found = _Found(path.name, holds or {})
    policies = _policies(given, path.name)
    names = _unlike(policies)
    attached: set[str] = set()
    groups_told = {
        f"group/{_name(each, ('name', 'id'), path.name, 'groups', place)}"
        for place, each in enumerate(_entries(given, "groups", path.name))
    }
    accounts, excluded = [], 0
    for part, word in _PRINCIPALS.items():
        for place, principal in enumerate(_entries(given, part, path.name)):
            name = f"{word}/{_name(principal, ('name', 'id'), path.name, part, place)}"
            held: dict[str, str] = {}
            for kind in _POLICIES:
                held |= _pointers(principal, kind, path.name, part)
            groups = list(_pointers(principal, "groups", path.name, part))
            excluded += bool(principal.get("is_excluded"))
            attached.update(held)
            if part != "groups":
                accounts.append((name, _service(principal)))
            for group in groups:
                found.members.append((name, f"group/{group}"))
            for key, told in held.items():
                found.attach(name, key, policies.get(key), names.get(key) or f"policy/{told}")
            if not held and not groups:
                found.bare(name, as_role=part == "groups")
    for key, policy in policies.items():
        excluded += bool(policy.get("is_excluded"))
        if key not in attached:
            found.attach(None, key, policy, names[key])
    found.describe(policies, names)
    found.without_description({role for _, role in found.members if role.startswith("group/")} - groups_told)
    return found.grants(accounts, excluded, _actions_left_out(given))


@dataclass
class _Found:
    """Grants as they are gathered."""

    where: str
    holds: Mapping[str, str]
    members: list[tuple[str, str]] = field(default_factory=list)
    lines: list[_Line] = field(default_factory=list)
    used: dict[str, None] = field(default_factory=dict)  # keys of policies with a risk, that somebody has or nobody
    seen: int = 0
    harmless: int = 0
    undescribed: dict[str, None] = field(default_factory=dict)  # policies that the results do not describe
    bare_ones: int = 0

    def attach(self, principal: str | None, key: str, policy: _Json | None, name: str) -> None:
        """A policy of a principal; None: of nobody."""
        self.seen += 1
        if policy is None:
            self.undescribed.setdefault(name)
        elif not any(_risks(policy)):
            self.harmless += 1
        else:
            self.used.setdefault(key)
        if principal is not None:
            self.members.append((principal, name))

    def bare(self, name: str, *, as_role: bool) -> None:
        """A principal that is shown with no policy and no group."""
        self.seen += 1
        self.bare_ones += 1
        holder, role = (None, name) if as_role else (name, None)
        self.lines.append((holder, role, _NOT_TOLD, _NOT_TOLD, "all", False))

    def describe(self, policies: Mapping[str, _Json], names: Mapping[str, str]) -> None:
        """What the policies with a risk let do."""
        people = {role for _, role in self.members}
        lonely = [pair for pair in self.members if pair[0].startswith("group/") and pair[0] not in people]
        of_nobody = set(lonely)
        self.members = [pair for pair in self.members if pair not in of_nobody]  # else the group would be an account
        for key in self.used:
            holders = [names[key], *(group for group, policy in lonely if policy == names[key])]
            for verb, latent, data in _risks(policies[key]):
                for category in self._categories(policies[key], data):
                    self.lines += [(None, holder, category, verb, "all", latent) for holder in holders]
        self.without_description({*self.undescribed, *(group for group, name in lonely if name in self.undescribed)})

    def without_description(self, roles: Iterable[str]) -> None:
        """Policies and groups that principals name and the results do not describe."""
        self.lines += [(None, role, _NOT_TOLD, _NOT_TOLD, "all", False) for role in sorted(roles)]

    def grants(self, accounts: Sequence[tuple[str, bool | None]], excluded: int, left_out: int) -> Grants:
        notes = []
        if excluded:
            notes.append(
                f"{excluded:,} principals and policies are excluded in cloudsplaining; they are kept here: write what "
                "is accepted into the file of accepted risks, with an end date."
            )
        if left_out:
            notes.append(f"cloudsplaining was told to leave out {left_out:,} actions: findings on them are not here.")
        if self.undescribed:
            number = len(self.undescribed)
            notes.append(f"{number:,} policies that principals have are not described; they are kept, as unknown.")
        if self.bare_ones:
            notes.append(
                f"{self.bare_ones:,} principals are shown with neither policy nor group; they are kept, as unknown: "
                "ask AWS for their policies (cloudsplaining, issue 154)."
            )
        if self.harmless:
            notes.append(f"of {self.harmless:,} policies no risk is told; they may still open what they name.")
        skipped = [Skipped(self.where, self.harmless, "a policy in which no risk is told of")] if self.harmless else []
        columns = dict.fromkeys(("account", "role", "category", "verb", "scope"), pl.String)
        return build(
            pl.DataFrame(self.lines, schema={**columns, "latent": pl.Boolean}, orient="row"),
            pl.DataFrame(self.members, schema={"member": pl.String, "role": pl.String}, orient="row"),
            pl.DataFrame(
                [(name, None if service is None else str(service)) for name, service in accounts],
                schema={"account": pl.String, "service": pl.String},
                orient="row",
            ),
            name=self.where,
            notes=notes,
            seen=self.seen,
            skipped=skipped,
        )

    def _categories(self, policy: _Json, data: str) -> list[str]:
        """The categories of a service's data; a word that is no category where the map does not say."""
        if data in self.holds:
            return [self.holds[data]]
        if data not in ("s3", "*"):
            return [f"{data} data" if data not in ("credentials", "infrastructure") else data]
        buckets = [bucket for bucket in self.holds if data == "*" or not _is_service(bucket)]
        named = _buckets(policy) if data == "s3" else None
        if named is not None:
            buckets = [bucket for bucket in buckets if any(fnmatchcase(bucket, pattern) for pattern in named)]
        return list(dict.fromkeys(self.holds[bucket] for bucket in buckets)) or ["s3 data"]


def _risks(policy: _Json) -> Iterator[tuple[str, bool, str]]:
    """verb, latent, and the service (or "*" for all, or a word) of each finding of a policy, each once."""
    told: dict[tuple[str, bool, str], None] = {}
    for risk in reference.load("cloudsplaining_risks").entries["risk"]:
        services: dict[str, None] = {}
        for key in (risk["name"], *risk["older"]):
            for finding in _findings(policy.get(key)):
                services[finding.split(":")[0].lower()] = None
        if not services:
            continue
        of = list(services)
        if risk["data"] == "stores":
            stores = [service for service in of if service in _STORES]
            of = stores + ["infrastructure"] * (len(stores) < len(of))
        elif risk["data"] != "service":
            of = ["*" if risk["data"] == "all" else risk["data"]]
        told |= dict.fromkeys((risk["verb"], risk["latent"], service) for service in of)
    yield from told


_STORES = ("s3", "rds", "dynamodb", "redshift", "elasticfilesystem", "glacier", "backup")  # services that hold data


def _is_service(word: str) -> bool:
    return word in _STORES or word in ("ssm", "secretsmanager")


def _findings(given: object) -> list[str]:
    """Actions, services or ways that a risk lists, in the older form (a list) and the newer (under ``findings``)."""
    listed = given.get("findings") if isinstance(given, dict) else given
    if not isinstance(listed, list):
        return []
    return [str(each.get("type", "")) if isinstance(each, dict) else str(each) for each in listed]


def _buckets(policy: _Json) -> list[str] | None:
    """The buckets, as patterns, that the allowing statements name; None where any of them may be meant."""
    document = policy.get("PolicyDocument")
    statements = document.get("Statement") if isinstance(document, dict) else None
    named: list[str] = []
    for statement in [statements] if isinstance(statements, dict) else statements or [{}]:
        if not isinstance(statement, dict):
            return None
        if statement.get("Effect") != "Allow" and statement:
            continue
        actions = statement.get("Action", "*")
        actions = [str(each).lower() for each in (actions if isinstance(actions, list) else [actions])]
        if not any(action == "*" or action.startswith("s3:") for action in actions):
            continue
        resources = statement.get("Resource", "*")
        for each in resources if isinstance(resources, list) else [resources]:
            if not str(each).startswith("arn:aws:s3:::"):
                return None
            named.append(str(each).removeprefix("arn:aws:s3:::").split("/")[0])
    return named


def _service(principal: _Json) -> bool | None:
    """Whether only services of AWS take on a role; None: a user, or not told."""
    trust = principal.get("assume_role_policy")
    document = trust.get("PolicyDocument") if isinstance(trust, dict) else None
    statements = document.get("Statement") if isinstance(document, dict) else None
    listed = [statements] if isinstance(statements, dict) else statements
    if not isinstance(listed, list) or not listed:
        return None
    who = [each.get("Principal") for each in listed if isinstance(each, dict)]
    return all(isinstance(each, dict) and set(each) == {"Service"} for each in who)


def _policies(given: _Json, where: str) -> dict[str, _Json]:
    found: dict[str, _Json] = {}
    for part in _POLICIES:
        entries = given[part]
        for place, (key, policy) in enumerate(entries.items()):
            if not isinstance(policy, dict):
                raise _bad(where, part, place)
            found[str(key)] = policy
            _name(policy, ("PolicyName", "PolicyId"), where, part, place)
    return found


def _unlike(policies: Mapping[str, _Json]) -> dict[str, str]:
    """A name for each policy; where several have the same, they are numbered."""
    often: dict[str, int] = {}
    names = {}
    for key, policy in policies.items():
        name = str(policy.get("PolicyName") or policy.get("PolicyId"))
        often[name] = often.get(name, 0) + 1
        names[key] = f"policy/{name}" if often[name] == 1 else f"policy/{name} ({often[name]})"
    return names


def _entries(given: _Json, part: str, where: str) -> list[_Json]:
    entries = list(given[part].values())
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise _bad(where, part, place)
    return entries


def _pointers(principal: _Json, key: str, where: str, part: str) -> dict[str, str]:
    """What a principal points to: key and name."""
    given = principal.get(key) or {}
    if not isinstance(given, dict):
        raise FileError(f"{where}: '{key}' of one of {part} is no object.", "write the results anew.")
    return {str(each): name if isinstance(name, str) else str(each) for each, name in given.items()}


def _name(entry: _Json, keys: Sequence[str], where: str, part: str, place: int) -> str:
    name = next((entry[key] for key in keys if isinstance(entry.get(key), str) and entry[key].strip()), None)
    if name is None or len(name) > LONGEST:
        raise _bad(where, part, place)
    return str(name).strip()


def _bad(where: str, part: str, place: int) -> FileError:
    return FileError(
        f"{where}: entry {place + 1} of '{part}' has no name, or is no object of cloudsplaining's.",
        "write the results anew with cloudsplaining scan.",
    )


def _actions_left_out(given: _Json) -> int:
    told = given.get("exclusions")
    listed = told.get("exclude-actions") if isinstance(told, dict) else None
    return sum(bool(str(each).strip()) for each in listed) if isinstance(listed, list) else 0


def _document(path: Path) -> _Json:
    mend = "give the JSON of results that cloudsplaining scan writes, with users, roles, groups and policies."
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise FileError(f"{path.name} cannot be read as text.", mend) from None
    except json.JSONDecodeError as error:
        raise FileError(f"{path.name}, line {error.lineno}, column {error.colno}: no JSON.", mend) from None
    except RecursionError:
        raise FileError(f"{path.name}: JSON that is nested too deeply.", mend) from None
    lacking = [key for key in _KEYS if not isinstance(given, dict) or not isinstance(given.get(key), dict)]
    if lacking:
        raise FileError(f"{path.name}: no object under {', '.join(lacking)}.", mend)
    return dict(given)
