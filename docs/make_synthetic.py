"""Write the tables and the figure of ``docs/synthetic.md`` anew: same generator, same Faker, same bytes.

    python docs/make_synthetic.py

Makes the people of the otrack preset and nothing else of it: the pupils that ``otrack-risk synth OUT --preset otrack
--seed 2014`` writes. Of the page it changes only what stands between two marks; all other words are for people to edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from faker import Faker

from otrack_risk import reference
from otrack_risk.synth.layout import Layout, lay_out
from otrack_risk.synth.people import make_people
from otrack_risk.synth.presets import Preset, planned
from otrack_risk.synth.world import GENERATOR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE = Path(__file__).parent / "synthetic.md"
FIGURE = "synthetic_names.svg"
SEED, BORN, YEAR_GROUP, CHILDREN = 2014, 2014, 4, 28
_SEXES = {"M": "boys", "F": "girls"}


@dataclass(frozen=True)
class Names:
    """How often the first names of one sex stand in a list, the commonest first."""

    names: tuple[str, ...]
    counts: tuple[int, ...]  # of the names that are counted one by one
    children: int  # all of them
    different: int  # names

    def held_by(self, most: int) -> float:
        """Share of children who have one of the commonest names."""
        return sum(self.counts[:most]) / self.children

    def joined(self) -> float:
        """Share of children whose first name is two names joined."""
        return sum(n for name, n in zip(self.names, self.counts, strict=True) if "-" in name) / self.children

    def among(self, listed: Sequence[str]) -> float:
        """Share of children whose name is one of these."""
        wanted = set(listed)
        return sum(n for name, n in zip(self.names, self.counts, strict=True) if name in wanted) / self.children


def main() -> None:
    """Write the page's parts and its figure."""
    layout = lay_out(planned("otrack"), SEED)
    blocks, figure = made(layout)
    page = PAGE.read_text(encoding="utf-8")
    for name, block in blocks.items():
        page = replaced(page, name, block)
    PAGE.write_text(page, encoding="utf-8")
    (PAGE.parent / FIGURE).write_text(figure, encoding="utf-8")


def made(layout: Layout) -> tuple[dict[str, str], str]:
    """The parts of the page by name, and the figure as SVG."""
    from otrack_risk.display.figures import svg

    towns = [make_people(layout, number).pupils for number in range(layout.schools.towns)]
    pupils = pl.concat([town.select("school_id", "forename", "sex", "date_of_birth", "left_on") for town in towns])
    born = pupils.filter(pl.col("date_of_birth").dt.year() == BORN)
    ours = {sex: counted(born.filter(pl.col("sex") == sex)["forename"]) for sex in _SEXES}
    fake = faker()
    theirs = {sex: counted(pl.Series(list(first_names(fake, [sex] * ours[sex].children)))) for sex in _SEXES}
    births = {sex: of_births(sex) for sex in _SEXES}
    on_roll = pupils.filter(pl.col("left_on").is_null())
    renamed = on_roll.with_columns(forename=pl.Series(list(first_names(fake, on_roll["sex"]))))
    alone = alone_in_school(on_roll), alone_in_school(renamed)
    blocks = {
        "made with": made_with(layout.plan),
        "class list": class_list(towns),
        "commonest names": commonest(births, ours, theirs),
        "figures": measures(births, ours, theirs, alone, on_roll.height),
    }
    return blocks, svg(curves(births, ours, theirs))


def replaced(page: str, name: str, block: str) -> str:
    """The page with other lines between the two marks of this name."""
    begin, end = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->"
    before, rest = page.split(begin)
    return f"{before}{begin}{block.strip()}\n{end}{rest.split(end)[1]}"


def made_with(plan: Preset) -> str:
    """What the page's tables depend on."""
    return (
        f"The tables and the figure below are of the `otrack` preset, {plan.pupils:,} children, seed {SEED}; generator "
        f"{GENERATOR}, Faker {version('Faker')}. `python docs/make_synthetic.py` writes them anew."
    )


def class_list(towns: Iterable[pl.DataFrame]) -> str:
    """The first class of so many children of this year group, beside one of Faker's with as many girls and boys."""
    ours = next(
        rows.sort("surname", "forename", "pupil_id")
        for town in towns
        for _, rows in town.filter(pl.col("left_on").is_null(), pl.col("year_group") == YEAR_GROUP).group_by(
            "class_id", maintain_order=True
        )
        if rows.height == CHILDREN
    )
    fake = faker()
    theirs = sorted(
        (fake.last_name(), given, sex) for sex, given in zip(ours["sex"], first_names(fake, ours["sex"]), strict=True)
    )
    lines = ["| | from `synth` | sex | born | | from Faker | sex |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for number, (child, other) in enumerate(zip(ours.iter_rows(named=True), theirs, strict=True), start=1):
        called = f" ({child['preferred_forename']})" if child["preferred_forename"] else ""
        given = " ".join(filter(None, (child["forename"], child["middle_name"])))
        born = f"{child['date_of_birth']:%d %b %Y}".lstrip("0")
        surname, name, sex = other
        lines.append(
            f"| {number} | {child['surname']}, {given}{called} | {child['sex']} | {born} "
            f"| | {surname}, {name} | {sex} |"
        )
    return "\n".join(lines)


def commonest(births: dict[str, Names], ours: dict[str, Names], theirs: dict[str, Names]) -> str:
    """The ten commonest names of each sex."""
    of = (births, ours, theirs)
    heads = " | ".join(f"{who}, {word}" for word in _SEXES.values() for who in ("births", "`synth`", "Faker"))
    lines = [f"| | {heads} |", "|" + " --- |" * 7]
    for place in range(10):
        names = " | ".join(each[sex].names[place] for sex in _SEXES for each in of)
        lines.append(f"| {place + 1} | {names} |")
    return "\n".join(lines)


def measures(
    births: dict[str, Names],
    ours: dict[str, Names],
    theirs: dict[str, Names],
    alone: tuple[float, float],
    on_roll: int,
) -> str:
    """Births, ours and Faker's in figures."""
    lines = ["| | births 2014 | from `synth` | from Faker |", "| --- | --- | --- | --- |"]
    for sex, word in _SEXES.items():
        each = (births[sex], ours[sex], theirs[sex])
        lines += [
            f"| {word} counted | " + " | ".join(f"{of.children:,}" for of in each) + " |",
            f"| different names of {word} | {births[sex].different:,} given three times or more | "
            + " | ".join(f"{of.different:,}" for of in each[1:])
            + " |",
            *(
                f"| {word} who have one of the {most} commonest names | "
                + " | ".join(_percent(of.held_by(most)) for of in each)
                + " |"
                for most in (10, 100)
            ),
            f"| {word} who have one of the {len(births[sex].names)} names given most in 2014 | "
            + " | ".join(_percent(of.among(births[sex].names)) for of in each)
            + " |",
            f"| {word} whose first name is two names joined | not published | "
            + " | ".join(_percent(of.joined()) for of in each[1:])
            + " |",
        ]
    lines.append(
        f"| pupils whose first name nobody else in their school has, of {on_roll:,} on roll | not published | "
        + " | ".join(map(_percent, alone))
        + " |"
    )
    return "\n".join(lines)


def curves(births: dict[str, Names], ours: dict[str, Names], theirs: dict[str, Names]) -> Figure:
    """Share of children who have one of the commonest names, from one name to 250."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    looks = {
        "births in England and Wales (ONS)": (births, {"color": "#b9bfca", "linewidth": 6}),
        "synth": (ours, {"color": "#31446b", "linewidth": 1.6}),
        "Faker en_GB": (theirs, {"color": "#8a6d00", "linewidth": 1.6, "linestyle": "--"}),
    }
    with rc_context({"font.size": 9.5, "axes.spines.top": False, "axes.spines.right": False}):
        drawn = Figure(figsize=(7.2, 3.3), layout="constrained")
        for axes, (sex, word) in zip(drawn.subplots(1, 2, sharey=True), _SEXES.items(), strict=True):
            for label, (of, look) in looks.items():
                most = range(1, min(250, len(of[sex].counts)) + 1)
                axes.plot(most, [of[sex].held_by(rank) for rank in most], label=label, **look)
            axes.set_xlabel(f"commonest names, {word} born in {BORN}")
            axes.set_ylim(0, 1.02)
            axes.yaxis.set_major_formatter(lambda y, _: f"{y * 100:.0f} %")
            axes.grid(color="#d0d0d0", linewidth=0.6)
        drawn.axes[0].set_ylabel("children who have one of them")
        drawn.legend(*drawn.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return drawn


def counted(forenames: pl.Series) -> Names:
    """Children by first name; of names that are equally common the first in the alphabet comes first."""
    table = forenames.alias("name").value_counts(name="n").sort(["n", "name"], descending=[True, False])
    return Names(tuple(table["name"]), tuple(table["n"]), len(forenames), table.height)


def of_births(sex: str) -> Names:
    """The most given names of births, and how many births and names are listed in all."""
    rows = [row for row in reference.load("first_names").entries["row"] if row["sex"] == sex and row[str(BORN)]]
    rows.sort(key=lambda row: (-int(row[str(BORN)]), row["name"]))
    (total,) = (
        row
        for row in reference.load("first_names_totals").entries["row"]
        if (row["sex"], row["year"]) == (sex, str(BORN))
    )
    counts = tuple(int(row[str(BORN)]) for row in rows)
    names = tuple(row["name"] for row in rows)
    return Names(names, counts, int(total["births"]), int(total["names_given_3_times"]))


def alone_in_school(pupils: pl.DataFrame) -> float:
    """Share of pupils whose first name nobody else in their school has."""
    return (pupils.select(pl.len().over("school_id", "forename")).to_series() == 1).mean()  # type: ignore[return-value]


def faker() -> Faker:
    """A Faker of Great Britain at the beginning of its numbers."""
    fake = Faker("en_GB")
    fake.seed_instance(SEED)
    return fake


def first_names(fake: Faker, sexes: Sequence[str] | pl.Series) -> Iterator[str]:
    """One of Faker's first names for each."""
    return (fake.first_name_male() if sex == "M" else fake.first_name_female() for sex in sexes)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


if __name__ == "__main__":
    main()
