"""The few loops that decide the speed on many rows, compiled when first called and kept on disk.

Each is single-threaded and lets other Python threads run meanwhile; :mod:`otrack_risk.risk.keys` hands
each thread its own part of the rows. What they compute is said where they are called, and tests hold
every one to a plain twin.
"""

# numba compiles these from their untyped form, so that parameters carry no annotations but in the docstring.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, assignment"
from __future__ import annotations

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic

_BLOCK = 8192  # rows whose keys stay in the first cache while column after column is added
_DIGIT = 10  # bits sorted by in one pass
_FEW = 32  # keys that insertion sorts faster
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: multiplicative hashing (Knuth, TAOCP 3, 6.4)

_U1, _I1 = np.zeros(0, np.uint8), np.zeros(0, np.int8)
_U2, _I2 = np.zeros(0, np.uint16), np.zeros(0, np.int16)
_U4, _I4, _I8 = np.zeros(0, np.uint32), np.zeros(0, np.int32), np.zeros(0, np.int64)


@intrinsic
def _pointer(typing_context, address, like):
    def generate(context, builder, signature, values):
        return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

    return types.CPointer(like.dtype)(address, like), generate


@njit(nogil=True, inline="always")
def _add(keys, column, lowest, shift):
    least = np.uint64(lowest)
    for i in range(len(keys)):
        keys[i] |= (np.uint64(np.int64(column[i])) - least) << shift


@njit(nogil=True, inline="always")
def _fill(block, addresses, kinds, lowest, shifts, n, start):
    """Adds ``(column - lowest) << shift`` of every column to the keys of the rows from ``start`` on."""
    stop = start + len(block)
    for c in range(len(kinds)):
        address, low, shift = addresses[c], lowest[c], np.uint64(shifts[c])
        if kinds[c] == 1:
            _add(block, carray(_pointer(address, _U1), n)[start:stop], low, shift)
        elif kinds[c] == -1:
            _add(block, carray(_pointer(address, _I1), n)[start:stop], low, shift)
        elif kinds[c] == 2:
            _add(block, carray(_pointer(address, _U2), n)[start:stop], low, shift)
        elif kinds[c] == -2:
            _add(block, carray(_pointer(address, _I2), n)[start:stop], low, shift)
        elif kinds[c] == 4:
            _add(block, carray(_pointer(address, _U4), n)[start:stop], low, shift)
        elif kinds[c] == -4:
            _add(block, carray(_pointer(address, _I4), n)[start:stop], low, shift)
        else:
            _add(block, carray(_pointer(address, _I8), n)[start:stop], low, shift)


@njit(nogil=True, cache=True)
def pack(addresses, kinds, lowest, shifts, keys, first, last, part_shift, parts):
    """Adds ``(column - lowest) << shift`` of every column to ``keys[first:last]``, counts keys by high bits.

    A column is given by the address of its memory and the size of its numbers in bytes, negative where
    they are signed: so that one compiled function serves any mixture of columns.
    """
    n = len(keys)
    for start in range(first, last, _BLOCK):
        block = keys[start : min(start + _BLOCK, last)]
        _fill(block, addresses, kinds, lowest, shifts, n, start)
        for i in range(len(block)):
            parts[np.int64(block[i] >> np.uint64(part_shift))] += 1


@njit(nogil=True, cache=True)
def count_by_part(addresses, kinds, lowest, shifts, n, first, last, part_shift, parts):
    """Counts keys by their highest bits, of the columns that reach into them; the keys are not kept."""
    held = np.empty(_BLOCK, np.uint64)
    for start in range(first, last, _BLOCK):
        block = held[: min(_BLOCK, last - start)]
        block[:] = 0
        _fill(block, addresses, kinds, lowest, shifts, n, start)
        for i in range(len(block)):
            parts[np.int64(block[i] >> np.uint64(part_shift))] += 1


@njit(nogil=True, cache=True)
def pack_by_part(addresses, kinds, lowest, shifts, n, first, last, part_shift, places, out):
    """Writes what is below ``part_shift`` of each key to the next place of its part; ``places`` is moved on."""
    held = np.empty(_BLOCK, np.uint64)
    s = np.uint64(part_shift)
    for start in range(first, last, _BLOCK):
        block = held[: min(_BLOCK, last - start)]
        block[:] = 0
        _fill(block, addresses, kinds, lowest, shifts, n, start)
        for i in range(len(block)):
            part = np.int64(block[i] >> s)
            out[places[part]] = block[i]  # an array of fewer bits drops the part's own
            places[part] += 1


@njit(nogil=True, cache=True)
def count_parts(keys, starts, first, last, below, sizes, larger):
    """Counts the runs of equal keys within each part by length, through a table of the keys met.

    Keys are told apart by what ``below`` leaves of them: of ``below`` beyond 32 bits they are kept whole beside the
    table, which has their lowest 32 bits. Returns how many runs are longer than ``len(sizes) - 1``; their lengths
    are written to ``larger``.
    """
    wide = below > 0xFFFFFFFF
    most = 1
    for p in range(first, last):
        most = max(most, starts[p + 1] - starts[p])
    table = np.empty(1 << _slot_bits(most), np.uint64)  # the key in the high half, how often in the low; 0 is free
    whole = np.empty(len(table) if wide else 1, np.uint64)
    one, half, low = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
    longest = np.uint64(len(sizes) - 1)
    n_larger, n_met = 0, 0
    for p in range(first, last):
        bits = _slot_bits(starts[p + 1] - starts[p])
        slots, shift = np.uint64(1 << bits), np.uint64(64 - bits)
        for j in range(slots):
            table[j] = 0
        any_longer = False
        for i in range(starts[p], starts[p + 1]):
            key = np.uint64(keys[i]) & below
            j = (key * _GOLDEN) >> shift
            held = table[j]
            while held != 0 and (held >> half != key & low or (wide and whole[j] != key)):
                j = (j + one) & (slots - one)
                held = table[j]
            if held == 0:
                table[j] = key << half | one
                if wide:
                    whole[j] = key
                n_met += 1
            else:
                table[j] = held + one
                times = held & low
                if times < longest:
                    sizes[times] -= 1
                    sizes[times + one] += 1
                elif times == longest:
                    sizes[times] -= 1
                    any_longer = True
        if any_longer:
            for j in range(slots):
                if table[j] & low > longest:
                    larger[n_larger] = table[j] & low
                    n_larger += 1
    sizes[1] += n_met
    return n_larger


@njit(nogil=True, inline="always")
def _slot_bits(rows):
    """Bits of the number of a slot, in a table of which at most a quarter is taken."""
    bits = 4
    while (1 << bits) < 4 * rows:
        bits += 1
    return bits


@njit(nogil=True, cache=True)
def scatter(keys, shift, places, out):
    """Writes each key to the next place of its part (the bits from ``shift``); ``places`` is moved on."""
    s = np.uint64(shift)
    for i in range(len(keys)):
        part = np.int64(keys[i] >> s)
        out[places[part]] = keys[i]
        places[part] += 1


@njit(nogil=True, cache=True)
def sort_parts(keys, starts, first, last, bits):
    """Sorts the parts ``first`` to ``last`` by their lowest ``bits`` bits."""
    spare = np.empty(np.diff(starts[first : last + 1]).max(), np.uint64)
    passes = (bits + _DIGIT - 1) // _DIGIT
    width = max(1, (bits + passes - 1) // max(passes, 1))
    count = np.zeros(1 << width, np.uint32)
    mask = np.uint64((1 << width) - 1)
    for p in range(first, last):
        part = keys[starts[p] : starts[p + 1]]
        m = len(part)
        here = part
        if m <= _FEW:
            for i in range(1, m):
                key = part[i]
                j = i - 1
                while j >= 0 and part[j] > key:
                    part[j + 1] = part[j]
                    j -= 1
                part[j + 1] = key
        else:
            there = spare[:m]
            for d in range(passes):
                shift = np.uint64(width * d)
                count[:] = 0
                for i in range(m):
                    count[np.int64((here[i] >> shift) & mask)] += 1
                before = np.uint32(0)
                for j in range(len(count)):
                    size = count[j]
                    count[j] = before
                    before = before + size
                for i in range(m):
                    j = np.int64((here[i] >> shift) & mask)
                    there[count[j]] = here[i]
                    count[j] += 1
                here, there = there, here
            if passes & 1:
                part[:] = here


@njit(nogil=True, cache=True)
def number(words, longest):
    """Numbers rows of equal words 0, 1, ... in the order in which they first occur.

    Parameters
    ----------
    words : uint64, shape (n, 1) or (n, 2)

    longest : where the words are Arrow's views of text, the bytes of which lie in the view; else 0

    Returns
    -------
    numbers (n,) and the first row of each number; no first row where a text is longer
    """
    n = len(words)
    numbers = np.empty(n, np.uint32)
    first = np.empty(n, np.int64)
    known = np.empty((n, 2), np.uint64)  # the words of each number, side by side
    bits = 13
    slots = np.zeros(1 << bits, np.uint32)  # number + 1; 0 is free
    row, found = _number_from(words, 0, longest, slots, np.uint64(64 - bits), known, first, numbers, 0)
    while 0 <= row < n:  # half of the slots are taken
        bits += 2
        slots = np.zeros(1 << bits, np.uint32)
        for k in range(found):
            j = _slot(known[k, 0], known[k, 1], np.uint64(64 - bits))
            while slots[j] != 0:
                j = (j + 1) & (len(slots) - 1)
            slots[j] = k + 1
        row, found = _number_from(words, row, longest, slots, np.uint64(64 - bits), known, first, numbers, found)
    return numbers, first[: found if row == n else 0].copy()


@njit(nogil=True, cache=True)
def _number_from(words, start, longest, slots, shift, known, first, numbers, found):
    """Numbers rows until half of the slots are taken; returns the next row, or -1 where a text is longer."""
    n, width = words.shape
    for i in range(start, n):
        word, second = words[i, 0], np.uint64(0)
        if width == 2:
            second = words[i, 1]
            if longest and word & np.uint64(0xFFFFFFFF) > longest:
                return -1, found
        j = _slot(word, second, shift)
        while True:
            k = np.int64(slots[j])
            if k == 0:
                if 2 * found >= len(slots):
                    return i, found
                known[found, 0], known[found, 1] = word, second
                first[found], numbers[i] = i, found
                found += 1
                slots[j] = found
                break
            if known[k - 1, 0] == word and known[k - 1, 1] == second:
                numbers[i] = k - 1
                break
            j = (j + 1) & (len(slots) - 1)
    return n, found


@njit(nogil=True, inline="always")
def _slot(word, second, shift):
    return np.int64(((word ^ (second * _GOLDEN) ^ (word >> np.uint64(32))) * _GOLDEN) >> shift)


@njit(nogil=True, cache=True)
def cube(
    table,
    values_of,
    cells,
    weights,
    starts,
    parts,
    attribute,
    depth,
    is_leaf,
    tails,
    n_tails,
    group,
    differing,
    pattern_at,
    patterns,
    counts,
    pairs,
    closed,
    closed_pairs,
    bits,
    descendants,
    own,
):
    """Splits each part of the combinations by every subset of the attributes below the leading one.

    The attributes with fewest values are the tail: a class is tallied by their cell once, and what every
    subset of the tail makes of it is added up from the tally. The subsets of the others are the nodes of a
    set-enumeration tree in preorder; a node splits the classes of its parent by one attribute more. A
    class of one combination stays one class in every descendant, and of two records in two combinations it
    is enough to know in which attributes they differ: both are closed, told once, and never looked at again.

    Parameters
    ----------
    table, values_of : codes by attribute of the tree and by combination; values of each attribute
    cells, weights : cell of the tail, and records, of each combination
    starts, parts : first combination of each part (value of the leading attribute); the parts to do
    attribute, depth, is_leaf : of each node; node 0 is the leading attribute alone
    tails, n_tails : subsets of the tail as bits, smaller ones first; how many of them a node of each depth has
    group, differing : cell of each subset of the tail that a cell falls into; attributes of the tail in which
        two cells differ, as bits
    pattern_at, patterns : where the counts of a node's pairs by differing attributes begin, and all those
        counts; empty where pairs are not to be closed
    counts, pairs : per node and subset of the tail classes, uniques and smallest class; pairs of records that agree
    closed, closed_pairs : per node the same of what is closed there, to be added to its descendants
    bits, descendants, own : per combination the set of subsets on which it is a single record; per node the
        set of itself and its descendants; per node and subset of the tail its number, -1 where it is too large.
        Empty where nobody asks.
    """
    biggest = 0
    for p in parts:
        biggest = max(biggest, starts[p + 1] - starts[p])
    levels = depth.max() + 1
    most_values = 1
    for values in values_of:
        most_values = max(most_values, values)
    codes = np.empty((len(values_of), biggest), np.uint32)
    members = np.empty((levels, biggest), np.uint32)
    begins = np.empty((levels, biggest + 1), np.int64)
    n_open = np.zeros(levels, np.int64)
    sorted_members = np.empty(biggest, np.uint32)
    tagged = np.empty(biggest, np.uint64)
    tally = np.zeros(most_values + 1, np.int64)
    n_cells = group.shape[1]
    by_cell, by_group = np.zeros(n_cells, np.int64), np.zeros(n_cells, np.int64)
    one_of_cell, in_weights = np.zeros(n_cells, np.int64), np.zeros(n_cells, np.int64)
    in_cells, in_groups = np.zeros(n_cells + 1, np.uint8), np.zeros(n_cells + 1, np.uint8)
    close_pairs, want_bits = len(patterns) > 0, len(bits) > 0
    for p in parts:
        low, m = starts[p], starts[p + 1] - starts[p]
        for a in range(len(values_of)):
            for i in range(m):
                codes[a, i] = table[a, low + i]
        for node in range(len(attribute)):
            level, a, leaf = depth[node], attribute[node], is_leaf[node]
            below, starts_below = members[level], begins[level]
            n_open[level] = 0
            n_below = 0
            starts_below[0] = 0
            for c in range(n_open[level - 1] if node else 1):
                size = m
                if node:
                    above, first = members[level - 1], begins[level - 1, c]
                    size = begins[level - 1, c + 1] - first
                    _by_code(codes[a], values_of[a], above, first, size, tally, tagged, sorted_members)
                else:
                    for i in range(m):
                        sorted_members[i] = i
                i = 0
                while i < size:
                    j, records = i + 1, weights[low + sorted_members[i]]
                    if node:
                        code = codes[a, sorted_members[i]]
                        while j < size and codes[a, sorted_members[j]] == code:
                            records += weights[low + sorted_members[j]]
                            j += 1
                    else:
                        j = m
                        records = weights[low : low + m].sum()
                    _count(counts[node, 0], pairs, node, 0, records)
                    if j - i == 1:
                        _count(closed[node, 0], closed_pairs, node, 0, records)
                        if want_bits and records == 1:
                            _join(bits[low + sorted_members[i]], descendants[node])
                    elif close_pairs and j - i == 2 and records == 2:
                        one, other = sorted_members[i], sorted_members[i + 1]
                        pattern = 0
                        for b in range(a + 1, len(values_of)):
                            if codes[b, one] != codes[b, other]:
                                pattern |= 1 << (b - a - 1)
                        pattern |= differing[cells[low + one], cells[low + other]] << (len(values_of) - a - 1)
                        patterns[pattern_at[node] + pattern] += 1
                    else:
                        n_in = 0
                        for q in range(i, j):
                            member = low + sorted_members[q]
                            cell = cells[member]
                            in_cells[n_in] = cell
                            n_in += by_cell[cell] == 0
                            by_cell[cell] += weights[member]
                            one_of_cell[cell] = member
                        for x in range(n_in):
                            in_weights[x] = by_cell[in_cells[x]]
                        for t in range(n_tails[level]):
                            tail, n_groups = tails[t], 0
                            of_cell, found = group[tail], counts[node, tail]
                            # no branch in these two loops: which way it went could not be foreseen
                            for x in range(n_in):
                                g = of_cell[in_cells[x]]
                                in_groups[n_groups] = g
                                n_groups += by_group[g] == 0
                                by_group[g] += in_weights[x]
                            alone, agreeing, smallest = 0, 0.0, found[2]
                            for x in range(n_groups):
                                size_in = by_group[in_groups[x]]
                                by_group[in_groups[x]] = 0
                                alone += size_in == 1
                                agreeing += np.float64(size_in) * np.float64(size_in - 1)
                                smallest = min(smallest, size_in)
                            found[0] += n_groups
                            found[1] += alone
                            found[2] = smallest
                            pairs[node, tail] += 0.5 * agreeing
                            if want_bits and alone:
                                number = own[node, tail]
                                for x in range(n_in):
                                    by_group[of_cell[in_cells[x]]] += in_weights[x]
                                for x in range(n_in):
                                    if by_group[of_cell[in_cells[x]]] == 1:
                                        one = one_of_cell[in_cells[x]]
                                        bits[one, number >> 6] |= np.uint64(1) << np.uint64(number & 63)
                                for x in range(n_in):
                                    by_group[of_cell[in_cells[x]]] = 0
                        for x in range(n_in):
                            by_cell[in_cells[x]] = 0
                        if not leaf:
                            for q in range(i, j):
                                below[n_below] = sorted_members[q]
                                n_below += 1
                            n_open[level] += 1
                            starts_below[n_open[level]] = n_below
                    i = j


@njit(nogil=True, inline="always")
def _by_code(mine, values, above, first, size, tally, tagged, out):
    """Writes ``size`` members from ``above[first]`` on to ``out`` in the order of their codes."""
    if size == 2:
        one, other = above[first], above[first + 1]
        out[0] = one
        out[1] = other
    elif values <= 16 or (size > 64 and values <= 4 * size):
        for v in range(values + 1):
            tally[v] = 0
        for i in range(first, first + size):
            tally[mine[above[i]] + 1] += 1
        for v in range(values):
            tally[v + 1] += tally[v]
        for i in range(first, first + size):
            v = mine[above[i]]
            out[tally[v]] = above[i]
            tally[v] += 1
    else:
        for i in range(size):
            member = above[first + i]
            tagged[i] = (np.uint64(mine[member]) << np.uint64(32)) | np.uint64(member)
        if size <= 64:
            for i in range(1, size):
                tag = tagged[i]
                j = i - 1
                while j >= 0 and tagged[j] > tag:
                    tagged[j + 1] = tagged[j]
                    j -= 1
                tagged[j + 1] = tag
        else:
            tagged[:size].sort()
        for i in range(size):
            out[i] = np.uint32(tagged[i] & np.uint64(0xFFFFFFFF))


@njit(nogil=True, inline="always")
def _count(counts, pairs, node, tail, size):
    counts[0] += 1
    if size == 1:
        counts[1] += 1
    else:
        pairs[node, tail] += 0.5 * size * (size - 1)
    if size < counts[2]:
        counts[2] = size


@njit(nogil=True, inline="always")
def _join(one, other):
    for word in range(len(one)):
        one[word] |= other[word]


@njit(nogil=True, cache=True)
def minimal(bits, parents, first_parent, size_of, weight_of, attributes_of, scores, found, contributions):
    """From the subsets on which each combination is a single record, those of which no smaller one is among them.

    Parameters
    ----------
    bits : per combination a set of subsets, numbered so that smaller ones come first
    parents, first_parent : for each subset the numbers of those with one attribute less
    size_of, weight_of : attributes and score of each subset
    attributes_of : per subset and attribute, whether it holds it
    scores, found : per combination the sum of scores, and the number of minimal subsets
    contributions : per attribute, the sum over combinations of the score from subsets that hold it
    """
    n_subsets = len(weight_of)
    for row in range(len(bits)):
        for word in range(bits.shape[1]):
            left = bits[row, word]
            while left:
                lowest = left & (~left + np.uint64(1))
                left ^= lowest
                subset = word * 64 + _place(lowest)
                if subset >= n_subsets:
                    break
                is_minimal = True
                for k in range(first_parent[subset], first_parent[subset + 1]):
                    parent = parents[k]
                    if bits[row, parent >> 6] >> np.uint64(parent & 63) & np.uint64(1):
                        is_minimal = False
                        break
                if is_minimal:
                    scores[row] += weight_of[subset]
                    found[row, size_of[subset]] += 1
                    for a in range(attributes_of.shape[1]):
                        if attributes_of[subset, a]:
                            contributions[a] += weight_of[subset]


@njit(nogil=True, inline="always")
def _place(bit):
    place = 0
    for step in (32, 16, 8, 4, 2, 1):
        if bit >> np.uint64(step):
            bit >>= np.uint64(step)
            place += step
    return place
