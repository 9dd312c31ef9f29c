"""What masks keep and outputs overflow by: as strict.py counts it, and as theta's store remembers it of each tensor."""
import json
import pathlib
from typing import NamedTuple

import numpy as np

import strict as st

# Of a mask that takes the whole tensor or nothing of it nothing is selected, so nothing is counted.
EVERYTHING, NOTHING = "everything", "nothing"


class Groups(NamedTuple):
    """Those that a mask is told of by: how many, of how many elements, and whether one that keeps nothing is told of."""
    count: int
    size: int
    may_be_empty: bool = True


def groups_of(mask, tau, kept):
    """Of a mask by a rule of strict.py. Of `per: model` a tensor is empty when all tensors are."""
    if not st.applies(mask, tau): return EVERYTHING
    per = mask.per or st.DEFAULT_PER[mask.kind]
    if per == "model": return Groups(1, tau.size, kept.empty > 0) if tau.size else EVERYTHING
    return Groups(*st.grouped(tau.shape, per))


def joined(a, b, neutral):
    """Of `a & b` (neutral: everything) or `a | b` (nothing)."""
    if a == neutral: return b
    if b == neutral: return a
    if isinstance(a, str) or isinstance(b, str): return a if isinstance(a, str) else b
    return Groups(*a[:2]) if a[:2] == b[:2] else Groups(1, a.count * a.size)


def opposite(groups):
    if isinstance(groups, str): return EVERYTHING if groups == NOTHING else NOTHING
    return Groups(*groups[:2])


def selected(elements, groups):
    """→ (kept, empty groups, the first of them), or None where nothing is counted."""
    if isinstance(groups, str): return None
    if not elements.size: return 0, 0, -1
    empty = ~elements.reshape(groups.count, groups.size).any(-1) & groups.may_be_empty
    return int(elements.sum()), int(empty.sum()), int(np.argmax(empty)) * groups.size if empty.any() else -1


# ------------------------------------------------------------------------------------------------- theta's

def published(store):
    """{path of an output: {tensor's name: what is remembered of it}}; outputs of the same bytes share a shard, but not this."""
    found = {}
    for file in pathlib.Path(store, "outputs").glob("*.json"):
        # A checksum follows in a line of its own.
        record = json.loads(file.read_text(encoding="utf-8").split("\n")[0])
        found[record["path"]] = {tensor["name"]: tensor for shard in record["shards"] for tensor in shard["record"]["tensors"]}
    return found


def difference(stored, masks, overflow, hangs_on):
    """A sentence, or None where a tensor of an output has strict.py's counters.  masks: what its selections kept, in any order, of
    which theta makes those that the payload hangs on; overflow: what its `write` counted."""
    name, counted = stored["name"], stored["counters"]
    operations = [operation.split("/")[0] for operation in stored["operations"].split(" ")]
    for ours, theirs in (("overflow", "overflow"), ("first_overflow", "firstOverflow")):
        if counted[theirs] != overflow[ours]: return f"{name}: {theirs} is {counted[theirs]}, expected {overflow[ours]}"
    found = {(mask["kept"], mask["empty"], mask["firstEmpty"]) for mask in counted["masks"] if operations[mask["operation"]] == "select"}
    for mask in found - set(masks):
        return f"{name}: a mask is said to keep (elements, empty groups, the first) {mask}, expected one of {masks}"
    for number, mask in enumerate(masks):
        if mask is not None and mask not in found and hangs_on(number):
            return f"{name}: nothing is said of a mask that keeps (elements, empty groups, the first) {mask}; masks of {found} are known"
    return None
