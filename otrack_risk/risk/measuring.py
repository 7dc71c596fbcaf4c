"""Every measure of one table: what is asked for, from as few groupings of its rows as it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from narwhals.typing import IntoFrame

from otrack_risk.errors import FieldError, ParameterError
from otrack_risk.risk import classes as grouping
from otrack_risk.risk.anonymity import SensitiveRisk, sensitive_risk
from otrack_risk.risk.attackers import Population, ReidentificationRisk, journalist, marketer, prosecutor
from otrack_risk.risk.classes import Missing
from otrack_risk.risk.counts import Classes, Combinations, Floats, Ints
from otrack_risk.risk.cube import MOST_SUBSETS, minimal_uniques, posteriors, subset_counts
from otrack_risk.risk.individual import (
    Basis,
    IndividualRisk,
    Method,
    individual_risk,
    risk_of_file,
    risk_of_households,
)
from otrack_risk.risk.membership import k_map_of_fraction, k_map_of_table, presence
from otrack_risk.risk.missing import missing_compared
from otrack_risk.risk.overview import DirectlyIdentified, PersonRule, Risk
from otrack_risk.risk.persons import People, one_row_a_person
from otrack_risk.risk.population import population_uniques
from otrack_risk.risk.sizes import (
    at_risk,
    distinction,
    median_class_size,
    n_classes,
    n_records,
    people_by_bin,
    record_risk,
    separation,
)
from otrack_risk.risk.subsets import MOST_FACTS, minimal_keys, quasi_identifier_shares, subset_risk
from otrack_risk.risk.suda import dis_suda_scores, special
from otrack_risk.risk.unicity import Unicity, unicity
from otrack_risk.risk.utility import utility
from otrack_risk.risk.wildcard import between, matching

_WORK = 300_000_000  # combinations times subsets that are counted without being asked for: a few seconds
_MOST_KEYS = 12  # quasi-identifiers up to which all subsets are counted without being asked for
_FEW_SUBSETS = 4096
_PERSON = "with several rows a person it is not counted: a person's combination is a set of rows"
_WILDCARD = "where a missing value matches everything there are no classes, only matches of a record"
_NO_POPULATION = "no population was given: its size, a sampling fraction, or a table of it"


def measure(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    *,
    sensitive: Sequence[str] = (),
    missing: Missing = "own-category",
    missing_alpha: float = 1.0,
    thresholds: Sequence[float] = (0.2,),
    population: Population | None = None,
    weights: str | None = None,
    direct_identifiers: Sequence[str] | None = None,
    person: str | None = None,
    household: str | None = None,
    known_facts: int | None = None,
    individual_method: Method = "exact",
    orders: Mapping[str, Sequence[str]] | None = None,
    hierarchies: Mapping[str, Sequence[Sequence[str]]] | None = None,
    subsets: int | None = None,
    keys: bool = False,
    suda: int | None = None,
    copula: bool = False,
    significance: float = 0.05,
    compare_missing: bool = False,
    rng: np.random.Generator | None = None,
    tell: Callable[[str, float], None] | None = None,
) -> Risk:
    """How findable the data subjects of a table are, and what membership in a class gives away.

    Parameters
    ----------
    subjects : frame of n_subjects rows, on any engine, eager or lazy
        One row per data subject, unless ``person`` says otherwise.
    quasi_identifiers : names of columns
        What the attacker knows.
    sensitive : names of columns
        What would be learnt. A missing value counts as a value of its own, under either rule.
    missing : "own-category", "wildcard" or "drop"
        Whether a missing quasi-identifier counts as a value of its own, matches every value, or its row
        leaves the table.
    missing_alpha : 0 to 1
        What a match through a missing value counts under "wildcard".
    thresholds : probabilities, 0 to 1; at least one
        Records with a strictly higher chance are counted; the attackers are measured at the first.
    population : whom the table is drawn from
        Without it, journalist and marketer risk, and what is estimated of the population, are unknown.
    weights : name of a column of sampling weights, for the individual risk
    direct_identifiers : names of columns that name a person, or None where nobody looked
        Where one of them holds a value the result says "directly identified" before any k.
    person : name of the column that tells people apart, where one has several rows
        A data subject's combination is then the set of all on record of that person; see
        :func:`otrack_risk.risk.persons.one_row_a_person`. Not on Spark.
    known_facts : with ``person``, also who is unique by any so many rows of theirs, with chance from ``rng``
    household : name of a column; finding one record of a household gives away the others. Not on Spark.
    individual_method : "exact" or "approx", see :func:`otrack_risk.risk.individual.individual_risk`
    orders, hierarchies : by sensitive column, see :func:`otrack_risk.risk.anonymity.sensitive_risk`
    subsets : tell of every subset of up to so many quasi-identifiers
    keys : also find minimal keys and each quasi-identifier's share in uniqueness, where all subsets can be counted
    suda : find minimal sample uniques of up to so many quasi-identifiers
    copula : also fit the Gaussian copula to the population, with chance from ``rng``; takes seconds
    significance : of the estimated k-map
    compare_missing : also what each rule for missing values would say
    tell : called with what is being done, and the share of it that is done

    Raises
    ------
    FieldError, TableError, ParameterError
        A column that is unknown, named twice, both known and sensitive, or none at all; no row to
        count; an unknown rule, a threshold that is no probability, or a population smaller than the
        table; ``person`` with a population table, weights, a household, or the rule "wildcard".

    Notes
    -----
    The rows are grouped once for everything that rests on class sizes, and once more for each sensitive column,
    for a population table, and for what needs the combinations themselves.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, 7, 7, 8, 8], "need": ["ASD", "SLCN", "ASD", "SEMH", "SEMH"]})
    >>> risk = measure(pupils, ["year"], sensitive=["need"], thresholds=[0.4])
    >>> risk.k, risk.at_risk[0].records, risk.sensitive["need"].homogeneous_records
    (2, 2, 2)
    """
    if not thresholds:
        raise ParameterError("thresholds: none is given.", "give at least one, such as 0.2.")
    if isinstance(sensitive, str):
        raise FieldError("sensitive: one name where a list of names belongs.", f"write [{sensitive!r}].")
    asked = {"household": household, "weights": weights}
    grouping.check_columns(subjects, {role: [name] for role, name in asked.items() if name is not None})
    known, learnt, people = list(quasi_identifiers), {name: name for name in sensitive}, None
    extra: dict[str, Any] = {}
    if known_facts is not None:
        extra["unicity"] = _any_facts(subjects, quasi_identifiers, person, known_facts, rng)
    if compare_missing and person is None:
        extra["missing_compared"] = missing_compared(
            subjects, quasi_identifiers, alpha=missing_alpha, threshold=thresholds[0]
        )
    if person is not None:
        _refuse_with_person(population, weights, household, missing)
        people = one_row_a_person(
            subjects,
            quasi_identifiers,
            person,
            sensitive=sensitive,
            direct_identifiers=direct_identifiers or (),
            missing=missing,
        )
        subjects, known = people.subjects, ["combination"]
        learnt = {name: f"value{number}" for number, name in enumerate(sensitive)}
    table = _Table(subjects, known, missing, missing_alpha, population, weights, people)
    found, n = table.found, n_records(table.found.sizes)
    whole = missing != "wildcard"
    return Risk(
        quasi_identifiers=tuple(quasi_identifiers),
        unit="records" if person is None else "data_subjects",
        person_rule=None if people is None or person is None else _person_rule(people, person),
        missing_rule=missing,
        missing_alpha=missing_alpha if missing == "wildcard" else None,
        left_out=found.left_out,
        records=n,
        classes=n_classes(found.sizes) if whole else None,
        k=_plain(found.sizes["size"][0]),
        largest_class=_plain(found.sizes["size"][-1]),
        median_class_size=median_class_size(found.sizes) if whole else None,
        uniques=int(found.sizes.filter(pl.col("size") == 1)["data_subjects"].sum()),
        class_sizes=tuple(found.sizes.rows()),
        people_by_bin=tuple(people_by_bin(found.sizes).values()),
        record_risk=record_risk(found.sizes),
        at_risk=tuple(at_risk(found.sizes, threshold) for threshold in thresholds),
        distinction=distinction(found.sizes) if whole else None,
        separation=separation(found.sizes) if whole else None,
        directly_identified=_gate(subjects, direct_identifiers, people, n + found.left_out),
        attackers=table.attackers(quasi_identifiers, thresholds[0]),
        sensitive={
            name: table.sensitive(name, column, (orders or {}).get(name), (hierarchies or {}).get(name))
            for name, column in learnt.items()
        }
        if whole
        else dict.fromkeys(learnt),
        utility=utility(found, _plain(found.sizes["size"][0])) if whole else None,
        parts=table.parts(household, individual_method, significance, copula, rng)
        | table.over_subsets(list(learnt) if person is None and whole else [], subsets, keys, suda, tell)
        | extra,
        reasons=table.reasons,
    )


def records(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    *,
    missing: Missing = "own-category",
    missing_alpha: float = 1.0,
    population: Population | None = None,
    weights: str | None = None,
    individual_method: Method = "exact",
    suda: int | None = None,
) -> pl.DataFrame:
    """The risk of every single record: for a file that is asked for by name, and for no page.

    Parameters
    ----------
    As :func:`measure`; not on Spark.

    Returns
    -------
    polars frame, one row a row of the table in its order
        ``row`` (from 0), ``class_size``, ``population_class_size``, ``record_risk`` (1 / class size),
        ``individual_risk``, ``suda_score``, ``dis_suda_score``; null where a row was left out, or where
        what the number needs was not given.

    Examples
    --------
    >>> pupils = pl.DataFrame({"year": [7, None, 7]})
    >>> records(pupils, ["year"], missing="drop").select("row", "class_size", "record_risk").rows()
    [(0, 2, 0.5), (1, None, None), (2, 2, 0.5)]
    """
    asked = {"quasi_identifiers": quasi_identifiers} | ({"weights": [weights]} if weights else {})
    rows = grouping.columns(subjects, asked)
    table = _Table(rows, list(quasi_identifiers), missing, missing_alpha, population, weights, None)
    found, place = table.by_row
    size, behind = table.alike(found), table.behind(found)
    of_combination: dict[str, Any] = {
        "class_size": size,
        "population_class_size": behind,
        "record_risk": 1 / size,
        "individual_risk": None if behind is None else individual_risk(size, behind, method=individual_method),
    }
    if suda is not None:
        score = minimal_uniques(found, suda).score
        fraction = table.fraction
        of_combination["suda_score"] = score
        of_combination["dis_suda_score"] = None if fraction is None else dis_suda_scores(found, score, fraction)
    kept = np.ones(rows.height, dtype=bool)
    if missing == "drop":
        kept = ~rows.select(pl.any_horizontal(pl.col(list(quasi_identifiers)).is_null())).to_series().to_numpy()
    made = {"row": pl.int_range(rows.height, eager=True)}
    for name in (*of_combination, *(("suda_score", "dis_suda_score") if suda is None else ())):
        values = of_combination.get(name)
        column = pl.Series([None] * rows.height, dtype=pl.Float64)
        if values is not None:
            full = np.zeros(rows.height, dtype=values.dtype)
            full[kept] = values[place]
            column = pl.select(pl.when(pl.Series(kept)).then(pl.Series(full))).to_series()
        made[name] = column
    return pl.DataFrame(made)


@dataclass(frozen=True)
class _Table:
    """One table under one rule, and what was grouped of it so far; each grouping is done when first asked for."""

    subjects: IntoFrame
    known: list[str]
    missing: Missing
    alpha: float
    population: Population | None
    weights: str | None
    people: People | None
    reasons: dict[str, str] = field(default_factory=dict)  # why a part has no answer, by its key in the contract

    @cached_property
    def found(self) -> Classes:
        if self.missing == "wildcard":
            matched = matching(self.combinations, alpha=self.alpha)
            records = pl.DataFrame({"size": matched.size, "data_subjects": self.combinations.size})
            sizes = records.group_by("size").agg(pl.col("data_subjects").sum()).sort("size")
            classes = pl.lit(None, dtype=pl.Int64).alias("classes")
            return Classes(sizes.select("size", classes, "data_subjects"), 0)
        found = grouping.classes(self.subjects, self.known, missing=self.missing)
        return found if self.people is None else Classes(found.sizes, self.people.left_out)

    @cached_property
    def combinations(self) -> Combinations:
        return grouping.combinations(self.subjects, self.known, missing=self.missing, weights=self.weights or "")

    @cached_property
    def joined(self) -> grouping.Joined | None:
        if self.population is None or self.population.table is None:
            return None
        return grouping.joined_combinations(self.subjects, self.population.table, self.known, missing=self.missing)

    @cached_property
    def by_row(self) -> tuple[Combinations, Ints]:
        """The combinations with the number of each row's, weighted or joined to the population where asked for."""
        if self.joined is not None and not self.weights:
            return self.joined.sample, self.joined.rows
        return grouping.combinations_of_rows(
            self.subjects, self.known, missing=self.missing, weights=self.weights or ""
        )

    @cached_property
    def fraction(self) -> float | None:
        """Share of the population that is in the table, rows left out included."""
        if self.population is None:
            return None
        return self.population.share_of(n_records(self.found.sizes) + self.found.left_out)

    @cached_property
    def joint(self) -> pl.DataFrame | None:
        """Size, population_size, classes and data_subjects; size 0 where nobody of a class is in the table."""
        if self.population is None:
            return None
        if self.population.table is None:
            return self.found.sizes.with_columns(population_size=pl.col("size") / self.fraction)
        if self.missing == "wildcard" and self.joined is not None:
            sample = self.joined.sample
            size, behind = self.alike(sample), self.behind(sample)
            return pl.DataFrame(
                {"size": size, "population_size": behind, "classes": [None] * len(size), "data_subjects": sample.size},
                schema_overrides={"classes": pl.Int64},
            )
        counted = grouping.population_sizes(
            self.subjects, self.population.table, self.known, missing=self.missing, everybody=True
        )
        return counted.with_columns(data_subjects=pl.col("size") * pl.col("classes"))

    def alike(self, found: Combinations) -> Ints | Floats:
        """How many records of the table a record with each combination is one of."""
        return matching(found, alpha=self.alpha).size if self.missing == "wildcard" else found.size

    def behind(self, found: Combinations) -> Ints | Floats | None:
        """How many people of the population share each combination; None where nothing is known of it."""
        if self.weights:
            return matching(found, alpha=self.alpha).weight if self.missing == "wildcard" else found.weight
        if self.joined is not None:
            whole = self.missing == "wildcard"
            return between(found, self.joined.everybody) if whole else self.joined.population_size
        return None if self.fraction is None else self.alike(found) / self.fraction

    def attackers(self, quasi_identifiers: Sequence[str], threshold: float) -> dict[str, ReidentificationRisk]:
        found, about = self.found, {"missing": self.missing}
        told = {"prosecutor": prosecutor(found, quasi_identifiers, threshold=threshold, **about)}
        if self.joint is not None and self.population is not None:
            joint, left_out = self.joint.filter(pl.col("size") > 0), found.left_out
            told["journalist"] = journalist(
                joint, quasi_identifiers, self.population, left_out, threshold=threshold, **about
            )
            told["marketer"] = marketer(joint, quasi_identifiers, self.population, left_out, **about)
        return told

    def sensitive(
        self, name: str, column: str, order: Sequence[str] | None, hierarchy: Sequence[Sequence[str]] | None
    ) -> SensitiveRisk:
        counts = grouping.value_counts(self.subjects, self.known, column, missing=self.missing)
        return sensitive_risk(counts, order=order, hierarchy=hierarchy, column=name)

    def parts(
        self,
        household: str | None,
        method: Method,
        significance: float,
        copula: bool,
        rng: np.random.Generator | None,
    ) -> dict[str, Any]:
        """What rests on the population, each by its key in the contract; where one is missing ``reasons`` says why."""
        told: dict[str, Any] = {}
        population, joint, found = self.population, self.joint, self.found
        about: dict[str, Any] = {"missing": self.missing, "left_out": found.left_out}
        no_classes = self.missing == "wildcard"
        if joint is not None and population is not None and not no_classes:
            inside = joint.filter(pl.col("size") > 0)
            if population.table is not None:
                told["k_map"] = k_map_of_table(inside, self.known, **about)
                size, behind, many = (joint[name].to_numpy() for name in ("size", "population_size", "classes"))
                told["delta_presence"] = presence(size, behind, self.known, classes=many, **about)
            else:
                basis: Any = population.basis()
                told["k_map"] = k_map_of_fraction(
                    found.sizes, self.known, self.fraction or 1.0, basis=basis, significance=significance, **about
                )
                self.reasons["delta_presence"] = "it needs a table of the population"
        else:
            reason = _WILDCARD if no_classes else _NO_POPULATION
            self.reasons.update({"k_map": reason, "delta_presence": reason})
        if self.fraction is None or no_classes:
            reason = _WILDCARD if no_classes and self.fraction is not None else _NO_POPULATION
            self.reasons.update({"population": reason, "tau": reason})
        else:
            told["population"] = population_uniques(
                found,
                self.fraction,
                quasi_identifiers=self.known,
                missing=self.missing,
                combinations=self.combinations if copula and self.people is None else None,
                rng=rng,
                copula=copula and self.people is None,
            )
            if self.people is None:
                told["tau"] = risk_of_file(self.combinations, self.fraction, **about)
            else:
                self.reasons["tau"] = _PERSON
        told |= self._individual(household, method, about)
        return told

    def _individual(self, household: str | None, method: Method, about: dict[str, Any]) -> dict[str, Any]:
        if self.weights is None and self.joint is None:
            reason = "neither sampling weights nor a population were given"
            self.reasons.update({"individual": reason, "household": reason})
            return {}
        if self.weights is not None:
            combined = self.combinations
            behind = self.behind(combined)
            size, people, basis = self.alike(combined), combined.size, "weights"
        else:
            assert self.joint is not None
            assert self.population is not None
            inside = self.joint.filter(pl.col("size") > 0)
            size, behind = inside["size"].to_numpy(), inside["population_size"].to_numpy()
            people, basis = inside["data_subjects"].to_numpy(), self.population.basis()
        assert behind is not None
        each = individual_risk(size, behind, method=method)
        told: dict[str, Any] = {"individual": _individual_risk(self.known, people, each, method, basis, about)}
        if household is None:
            self.reasons["household"] = "no column of households was named"
            return told
        names = {"quasi_identifiers": self.known, "household": [household]}
        rows = grouping.columns(self.subjects, names | ({"weights": [self.weights]} if self.weights else {}))
        if self.missing == "drop":
            rows = rows.drop_nulls(self.known)
        alone = _Table(rows, self.known, self.missing, self.alpha, self.population, self.weights, None)
        found, place = alone.by_row
        behind_each = alone.behind(found)
        assert behind_each is not None
        chance = individual_risk(alone.alike(found), behind_each, method=method)[place]
        households, number = grouping.combinations_of_rows(rows, [household])
        told["household"] = risk_of_households(chance, households.codes[number, 0])
        return told

    def over_subsets(
        self,
        sensitive: list[str],
        subsets: int | None,
        keys: bool,
        suda: int | None,
        tell: Callable[[str, float], None] | None,
    ) -> dict[str, Any]:
        """What rests on subsets of the quasi-identifiers, each by its key in the contract."""
        asked = {"subsets": subsets is not None, "shapley": keys, "minimal_keys": keys, "suda": suda is not None}
        self.reasons.update({name: "it was not asked for" for name, wanted in asked.items() if not wanted})
        wanted = [name for name in asked if asked[name]]
        if self.people is not None:
            self.reasons.update(dict.fromkeys(wanted, _PERSON))
            return {}
        told: dict[str, Any] = {}
        if self.missing == "wildcard":
            self.reasons.update(dict.fromkeys([name for name in wanted if name != "suda"], _WILDCARD))
        elif keys or subsets is not None:
            told |= self._subsets(sensitive, subsets, keys, tell)
        if suda is not None:
            told["suda"] = special(self.combinations, minimal_uniques(self.combinations, suda, tell))
        return told

    def _subsets(
        self, sensitive: list[str], subsets: int | None, keys: bool, tell: Callable[[str, float], None] | None
    ) -> dict[str, Any]:
        found, d = self.combinations, len(self.known)
        few = d <= _MOST_KEYS and len(found.size) * 2**d <= _WORK
        all_of_them = few or (subsets is not None and subsets >= d and 2**d <= MOST_SUBSETS)
        size = d if keys and all_of_them else subsets or _unasked_size(d)
        too_many = dict.fromkeys(("minimal_keys", "shapley"), f"{d} quasi-identifiers are too many")
        if subsets is None and not size:
            self.reasons.update(too_many)
            return {}
        told: dict[str, Any] = {}
        counts = subset_counts(found, size, tell)
        if subsets is not None:
            within = counts.up_to(subsets)
            guessed = {
                name: posteriors(
                    grouping.combinations(self.subjects, [*self.known, name], missing=self.missing), within.members
                )
                for name in sensitive
            }
            told["subsets"] = subset_risk(within, inference=guessed, missing=self.missing)
        if keys and d > MOST_FACTS:
            self.reasons.update(too_many)
        elif keys:
            told["minimal_keys"] = minimal_keys(counts, missing=self.missing)
            if size >= d:
                told["shapley"] = quasi_identifier_shares(counts, missing=self.missing)
            else:
                self.reasons["shapley"] = f"it needs all subsets of {d} quasi-identifiers, which are too many here"
        return told


def _any_facts(
    subjects: IntoFrame,
    quasi_identifiers: Sequence[str],
    person: str | None,
    known: int,
    rng: np.random.Generator | None,
) -> Unicity:
    if person is None or rng is None:
        raise ParameterError(
            "known_facts: it is asked of people who have several rows, and drawn by chance.",
            "name the column that tells people apart, and hand over a source of chance.",
        )
    return unicity(subjects, quasi_identifiers, person, known=known, rng=rng)


def _unasked_size(attributes: int) -> int:
    """The largest size, up to 3, of which all subsets are few enough to be counted without being asked for."""
    sizes = [sum(math.comb(attributes, k) for k in range(1, size + 1)) for size in (1, 2, 3)]
    return sum(count <= _FEW_SUBSETS for count in sizes) if attributes <= MOST_FACTS else 0


def _individual_risk(
    known: Sequence[str], people: Ints, each: Floats, method: Method, basis: str, about: Mapping[str, Any]
) -> IndividualRisk:
    of: Basis = basis  # type: ignore[assignment]
    return IndividualRisk(
        quasi_identifiers=tuple(known),
        missing_rule=about["missing"],
        left_out=about["left_out"],
        records=int(people.sum()),
        expected_reidentifications=math.fsum(each * people),
        highest=float(each.max()),
        method=method,
        basis=of,
    )


def _plain(size: Any) -> Any:
    """A class size as a whole number where it is one."""
    return int(size) if float(size).is_integer() else float(size)


def _refuse_with_person(
    population: Population | None, weights: str | None, household: str | None, missing: str
) -> None:
    if population is not None and population.table is not None:
        raise ParameterError(
            "population: a table of it cannot be joined to people who have several rows.",
            "give the population's size in people or the sampling fraction, or one row a person.",
        )
    if weights is not None or household is not None:
        name = "weights" if weights is not None else "household"
        raise ParameterError(f"{name}: a person with several rows has none of its own.", "give one row a person.")
    if missing == "wildcard":
        raise ParameterError(
            "missing: sets of rows are compared as they are, so that a missing value cannot match everything.",
            "use own-category or drop with several rows a person.",
        )


def _gate(
    subjects: IntoFrame, direct_identifiers: Sequence[str] | None, people: People | None, of: int
) -> DirectlyIdentified | None:
    if direct_identifiers is None:
        return None
    if people is not None:
        return DirectlyIdentified(people.filled, people.identified, of)
    counts, records = grouping.filled(subjects, direct_identifiers) if direct_identifiers else ({}, 0)
    return DirectlyIdentified(tuple(name for name, count in counts.items() if count), records, of)


def _person_rule(people: People, column: str) -> PersonRule:
    return PersonRule(column, people.rows, people.rows_without_person, people.rows_left_out)
