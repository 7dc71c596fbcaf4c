from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from otrack_risk.display import figures
from otrack_risk.display.network import Edge, Node, network

STAGES = ["Account", "Roles", "Categories"]
NODES = [
    Node("account", 0, "account 1"),
    Node("manager", 1, "Data manager"),
    Node("reader", 1, "MIS reader"),
    Node("medical", 2, "Medical and dietary", "1,204 children"),
    Node("contacts", 2, "Contacts and home address", "1,130 children"),
]
EDGES = [
    Edge("account", "manager"),
    Edge("manager", "reader", "inherits"),
    Edge("reader", "medical", "view · school", dashed=True),
    Edge("manager", "contacts", "view, edit, export · whole trust"),
    Edge("account", "contacts", "view · own class"),
]


def drawn(nodes=NODES, edges=EDGES, **more):
    return network(nodes, edges, stages=STAGES, title="A finding.", unit="grants in force", **more)


def wide(roles=40, categories=27, kinds=5):
    """Many roles in a row and beside each other, and more arrows than anybody would follow."""
    nodes = [Node("a", 0, "account 1")]
    nodes += [Node(f"r{n}", 1, f"role {n}") for n in range(roles)]
    nodes += [Node(f"c{n}", 2, f"category {n}", f"{n} children") for n in range(categories)]
    edges = [Edge("a", f"r{n}") for n in range(roles - 10)]
    edges += [Edge(f"r{n}", f"r{n + 1}", "inherits") for n in range(roles - 10, roles - 1)]
    edges += [Edge("r1", f"r{roles - 10}")]
    edges += [Edge(f"r{n % roles}", f"c{n % categories}", f"view, edit, kind {n % kinds}") for n in range(60)]
    return nodes, edges


def boxes(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]


def arrows(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]


def told(figure):
    return [" ".join(text.get_text().split()) for text in figure.axes[0].texts]


def middle(figure, words):
    return next(text for text in figure.axes[0].texts if text.get_text() == words).get_position()


def test_every_node_and_every_edge_has_its_words():
    figure = drawn()
    said = " ".join(told(figure))
    for each in (*STAGES, "account 1", "Data manager", "MIS reader", "inherits", "view · school", "view · own class"):
        assert each in said
    for line in ("Medical and", "dietary", "1,204 children", "view, edit, export · whole trust"):
        assert line in told(figure)
    assert len(boxes(figure)) == 5
    assert len(arrows(figure)) == 5


def test_a_role_that_is_inherited_stands_in_a_column_of_its_own_to_the_right():
    figure = drawn()
    across = [middle(figure, each)[0] for each in ("account 1", "Data manager", "MIS reader", "dietary")]
    assert across == sorted(set(across))


def test_what_is_dashed_is_also_said():
    figure = drawn(dashed="only after SET ROLE")
    styles = [arrow.get_linestyle() for arrow in arrows(figure)]
    assert sum(style not in ("solid", "-") for style in styles) == 1
    assert "grants in force · dashed: only after SET ROLE" in told(figure)


# 16 of one column: 14 are drawn, two are told. 15 fit.
@pytest.mark.parametrize(
    ("count", "shown", "more"), [(15, 15, None), (16, 14, "and 2 more"), (500, 14, "and 486 more")]
)
def test_of_many_nodes_the_first_are_drawn_and_the_rest_are_counted(count, shown, more):
    nodes = [Node("a", 0, "account 1"), *(Node(f"{n}", 1, f"role {n}") for n in range(count))]
    said = told(drawn(nodes, [Edge("a", f"{n}", "has") for n in range(count)]))
    assert [f"role {n}" in said for n in range(count)] == [True] * shown + [False] * (count - shown)
    assert [each for each in said if each.startswith("and ")] == ([more] if more else [])


# Six roles, each inherited by the one before: three are drawn, and the last three told.
def test_a_long_chain_is_cut_and_counted():
    nodes = [Node(f"{n}", 1, f"role {n}") for n in range(6)]
    said = told(drawn(nodes, [Edge(f"{n}", f"{n + 1}", "inherits") for n in range(5)]))
    assert [each for each in said if each.startswith(("role", "and"))] == ["role 0", "role 1", "role 2", "and 3 more"]


def test_a_cycle_is_told_where_it_closes():
    nodes = [Node("a", 1, "alpha"), Node("b", 1, "beta")]
    figure = drawn(nodes, [Edge("a", "b", "inherits"), Edge("b", "a", "inherits")])
    assert "and back from beta" in told(figure)
    assert len(arrows(figure)) == 1
    assert "and back from alpha" in told(drawn(nodes[:1], [Edge("a", "a")]))


def test_an_edge_to_nowhere_and_a_stage_without_heading_are_refused():
    with pytest.raises(ValueError, match="a node that is not there"):
        drawn(edges=[Edge("account", "nobody")])
    with pytest.raises(ValueError, match="without a heading"):
        drawn([Node("a", 3, "a")], [])


@pytest.mark.parametrize("graph", [(NODES, EDGES), wide()], ids=["one account", "wide"])
def test_texts_stand_out_and_apart_and_boxes_do_not_overlap(graph, seen):
    figure = drawn(*graph)
    found = seen.read(figure)
    assert seen.clashes(found) == []
    for text, (x0, y0, x1, y1), fill in found:
        assert seen.contrast(text.get_color(), fill) >= 4.5
        assert text.get_fontsize() >= 7.5
        assert x0 >= 0 <= y0
        assert x1 <= figure.bbox.x1
        assert y1 <= figure.bbox.y1
    columns = {}
    for box in boxes(figure):
        columns.setdefault(round(box.get_x(), 6), []).append((box.get_y(), box.get_y() + box.get_height()))
    for column in columns.values():
        assert all(above[1] < below[0] for above, below in pairwise(sorted(column)))


def test_no_arrow_runs_through_a_box_or_through_words():
    figure = drawn(*wide(12, 9))
    figure.draw_without_rendering()
    to_inches = figure.axes[0].transData.inverted()
    words = [to_inches.transform_bbox(text.get_window_extent()) for text in figure.axes[0].texts]
    words += [to_inches.transform_bbox(box.get_window_extent()) for box in boxes(figure)]
    inner = np.array([(min(b.x0, b.x1), max(b.x0, b.x1), min(b.y0, b.y1), max(b.y0, b.y1)) for b in words])
    inner += np.array([0.03, -0.03, 0.03, -0.03])  # inches: an arrow ends at an edge, and runs close under its words
    for arrow in arrows(figure):
        points = arrow.get_path().interpolated(1).to_polygons(closed_only=False)[0]
        points = np.concatenate([np.linspace(one, other, 20) for one, other in pairwise(points)])
        x, y = points[:, :1], points[:, 1:]
        assert not ((inner[:, 0] < x) & (x < inner[:, 1]) & (inner[:, 2] < y) & (y < inner[:, 3])).any()


def test_lines_and_edges_stand_out_from_the_page_by_three_to_one(seen):
    figure = drawn()
    for patch in figure.axes[0].patches:
        assert seen.contrast(patch.get_edgecolor()[:3], "white") >= 3


def test_the_same_lists_make_the_same_bytes():
    assert figures.svg(drawn()) == figures.svg(drawn())
    assert figures.png(drawn(*wide(12, 3))) == figures.png(drawn(*wide(12, 3)))


def test_strange_labels_are_drawn_as_they_are():
    nodes = [Node("a", 0, "x" * 1_000_000), Node("b", 1, "$a_{$"), Node("c", 2, "")]
    figure = drawn(nodes, [Edge("a", "b", "$\\frac$"), Edge("b", "c", "y" * 10_000)])
    figure.draw_without_rendering()
    assert {"$a_{$", "$\\frac$", "?"} <= set(told(figure))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.booleans()), max_size=25),
)
def test_any_graph_with_cycles_loops_and_loose_ends_is_drawn(stages, pairs):
    nodes = [Node(f"{n}", stage, f"node {n}") for n, stage in enumerate(stages)]
    edges = [Edge(f"{a}", f"{b}", "x", dashed) for a, b, dashed in pairs if max(a, b) < len(nodes)]
    figure = drawn(nodes, edges)
    assert len(boxes(figure)) <= len(nodes)
    named = sum(each.startswith("node ") for each in told(figure))
    more = [int(each.split()[1]) for each in told(figure) if each.endswith(" more")]
    assert named + sum(more) == len(nodes)  # nothing is lost in silence
