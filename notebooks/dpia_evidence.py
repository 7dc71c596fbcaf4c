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
# # Evidence for a data protection impact assessment
#
# Which data, read how; what each column says; what was measured, of whom, by which rule; and what was assumed. The
# judgement, and the signature, are a person's.

# %% tags=["parameters"]
dataset: str = "../data/synthetic/otrack"  # a file or folder of tables
scenario: str = "otrack_2024"  # a built-in scenario, or the path of a scenario file
catalogue: str = ""  # a catalogue that a person has edited; empty: the one in the folder, or none
hide_below: int = 5  # people; a cell that counts fewer is hidden

# %%
from otrack_risk import assessment, exposure, frames, profile, report, risk

story = assessment.read_scenario(scenario)
everything = frames.read(dataset)
reached = story.reach(everything.columns)
data = everything.only(reached)
columns = profile.catalogue_for(dataset, everything.frames, catalogue).only(reached)
about = columns.about("child")
rows = data.table(about.name).rows
facts = story.quasi_identifiers or about.quasi_identifiers

# %% [markdown]
# ## Which data is this, and was anything left out?

# %%
report.inputs_read(data.inputs())

# %% [markdown]
# ## What does each column say, and why is it classified so?

# %%
profile.profile(data.frames, columns)

# %% [markdown]
# ## How many people does it speak of?

# %%
exposure.exposure_scope(data, columns).published(hide_below)

# %% [markdown]
# ## How small is the crowd in which each child stands?

# %%
risk.k_anonymity(rows, facts)

# %% [markdown]
# ## How likely is it to find a child who is known to be in the table?

# %%
risk.prosecutor_risk(rows, facts)

# %% [markdown]
# ## Which combinations of facts single most children out?

# %%
risk.telling_combinations(rows, facts)

# %% [markdown]
# ## How much of the answer is what one makes of missing values?

# %%
risk.missing_compared(rows, facts)

# %% [markdown]
# ## What is learnt of the children who stay hidden?

# %%
risk.inference(rows, facts, about.with_role("sensitive"))

# %% [markdown]
# ## On which tables of law, severity and roles do the answers rest?

# %%
report.tables_used(["severity_enisa", "law_uk", "categories", "roles", "least_privilege"], story.as_of.date())
