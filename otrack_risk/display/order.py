"""Another order for the rows and columns of a grid: alike ones together."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence

import numpy as np


def clustered(
    rows: Sequence[str], columns: Sequence[str], sets: Sequence[Sequence[Collection[Hashable]]]
) -> tuple[list[int], list[int]]:
    """Places of rows and columns in an order that brings alike ones together; the labels do not change.

    Parameters
    ----------
    rows, columns : labels
    sets : what each cell holds, empty where nothing: a few words (verbs, a scope), not its children

    Returns
    -------
    for rows, and for columns, each place once

    Notes
    -----
    Average linkage on the Jaccard distance of what two rows hold in the same columns, leaves in the order in which
    neighbours differ least [1]_. Alike rows stand by name, and the whole is turned so that the end with the earlier
    name comes first: the order in which rows are given does not matter. Its time grows with the cube of their number.

    References
    ----------
    .. [1] Bar-Joseph, Gifford and Jaakkola (2001), Fast optimal leaf ordering for hierarchical clustering,
       Bioinformatics 17, S22-S29.

    Examples
    --------
    >>> clustered(["head", "cook", "deputy"], ["diet", "notes"], [[{"V"}, {"E"}], [{"V"}, ""], [{"V"}, {"E"}]])
    ([1, 2, 0], [0, 1])
    """
    down = [{(x, each) for x, cell in enumerate(row) for each in cell} for row in sets]
    across = [{(y, each) for y, row in enumerate(sets) for each in row[x]} for x in range(len(columns))]
    return _alike(rows, down), _alike(columns, across)


def _alike(names: Sequence[str], held: Sequence[Collection[Hashable]]) -> list[int]:
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    order = sorted(range(len(names)), key=lambda place: (names[place], place))
    if len(order) < 3:
        return order
    every = list(dict.fromkeys(each for place in order for each in held[place]))
    inside = np.array([[each in held[place] for each in every] for place in order]).reshape(len(order), -1)
    apart = pdist(inside, "jaccard") if every else np.zeros(len(order) * (len(order) - 1) // 2)
    leaves = leaves_list(linkage(apart, "average", optimal_ordering=True)).tolist()
    runs: list[list[int]] = []  # alike ones stand side by side, as they join first
    for leaf in leaves:
        if runs and (inside[runs[-1][0]] == inside[leaf]).all():
            runs[-1].append(leaf)
        else:
            runs.append([leaf])
    runs = [sorted(run) for run in runs]
    if runs[0][0] > runs[-1][0]:
        runs.reverse()
    return [order[leaf] for run in runs for leaf in run]
