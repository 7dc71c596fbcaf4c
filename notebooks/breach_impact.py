# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What if this leaks?
#
# A breach impact assessment: what was in it, about how many children, how findable is each, how bad is that, and who
# must be told by when. Every figure is a proposal for a named person to weigh; nothing here is a verdict.

# %% tags=["parameters"]
dataset: str = "../data/synthetic/otrack"  # a file or folder of tables
scenario: str = "otrack_2024"  # a built-in scenario, or the path of a scenario file
catalogue: str = ""  # a catalogue that a person has edited; empty: the one in the folder, or none
hide_below: int = 5  # people; a cell that counts fewer is hidden

# %%
from otrack_risk import assessment, exposure, frames, profile, risk

story = assessment.read_scenario(scenario)
everything = frames.read(dataset)
reached = story.reach(everything.columns)
data = everything.only(reached)
columns = profile.catalogue_for(dataset, everything.frames, catalogue).only(reached)
about = columns.about("child")
rows = data.table(about.name).rows
scope = exposure.exposure_scope(data, columns)  # reads the notes too, which takes most of the time

# %% [markdown]
# ## What happened, and how sure is that?

# %%
assessment.scenario_facts(story)

# %% [markdown]
# ## How many people, and of which kind?

# %%
scope.people().published(hide_below)

# %% [markdown]
# ## What was in it, and how full was each field?

# %%
scope.field_table().published(hide_below)

# %% [markdown]
# ## What stands in words, and of how many children?

# %%
scope.in_text().published(hide_below)

# %% [markdown]
# ## Is a child named, or found by combination?

# %%
facts = story.quasi_identifiers or about.quasi_identifiers
found = risk.measure(
    rows,
    facts,
    sensitive=[name for name in about.with_role("sensitive") if name not in facts],  # what is known cannot be learnt
    direct_identifiers=about.with_role("direct"),
    person=about.person,
)
found

# %% [markdown]
# ## How many children could each of these people find, with the names gone?

# %%
risk.knowledge_compared(rows, {who.label: about.of_kind(*who.knows) for who in story.attackers}, person=about.person)

# %% [markdown]
# ## How bad is that?

# %%
severity = assessment.propose(story, scope.record(), found.record())
severity

# %% [markdown]
# ## Who must be told, and by when?

# %%
assessment.notification(story, severity, scope.record())

# %% [markdown]
# ## When did what happen?

# %%
assessment.clock(story)

# %% [markdown]
# ## What do we not know, and would it change the answer?

# %%
assessment.unknowns(story, scope.record(), found.record())
