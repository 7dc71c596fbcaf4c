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
# # Who can see whom?
#
# If one password is stolen, how many children? Counted from the grants in force on one day, against the least that each
# role needs. A cell counts children, not permissions.

# %% tags=["parameters"]
dataset: str = "../data/synthetic/otrack"  # a folder of tables: the people, and the grants unless they are given apart
grants: str = ""  # a CSV of grants; empty: the table "grants" of the data set
needed: str = ""  # a school's own least-privilege matrix; empty: the built-in one
scenario: str = "otrack_2024"  # the scenario whose day it is
hide_below: int = 5  # people; a cell that counts fewer is hidden

# %%
from otrack_risk import access, assessment, frames

story = assessment.read_scenario(scenario)
data = frames.read(dataset)
seen = access.who_can_see_whom(data, grants, needed=needed, as_of=story.as_of.date())

# %% [markdown]
# ## Which role can see how many children?

# %%
seen.published(hide_below)

# %% [markdown]
# ## One stolen password: how many children?

# %%
seen.ladder().published(hide_below)

# %% [markdown]
# ## What should somebody look at first?

# %%
seen.findings_table().published(hide_below)
