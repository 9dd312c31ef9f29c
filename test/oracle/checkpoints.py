"""Writes and reads checkpoints as bit patterns, in the hub's layout.  Knows safetensors, nothing of theta.

The writer can do what a well-behaved library never does but the format allows: a payload that begins at an odd offset,
tensors stored in another order than the header names them, one payload under two names.
"""
import json
import math
import os
import pathlib
import re
import struct

import numpy as np

from strict import FORMATS, Tensor

STORAGE = {**{dtype: storage for dtype, (storage, *_) in FORMATS.items()},
           "I64": np.uint64, "I32": np.uint32, "I16": np.uint16, "U8": np.uint8, "BOOL": np.uint8}


def write_file(path, tensors, rng=None, aliases=()):
    """tensors: {name: Tensor}; aliases: {other name: stored name}; rng shuffles the payloads and shifts their start."""
    order = sorted(tensors)
    if rng is not None: rng.shuffle(order)
    entries, at = {}, 0
    for name in order:
        dtype, bits = tensors[name]
        entries[name] = {"dtype": dtype, "shape": list(bits.shape), "data_offsets": [at, at + bits.nbytes]}
        at += bits.nbytes
    for other, name in dict(aliases).items():
        if name in entries: entries[other] = entries[name]
    header = {name: entries[name] for name in sorted(entries)}
    if rng is None or rng.random() < 0.5: header = {"__metadata__": {"format": "pt"}, **header}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8 if rng is None else int(rng.integers(0, 9)))
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order: file.write(tensors[name].bits.tobytes())


def write_model(directory, tensors, config, shards=1, rng=None, aliases=()):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.safetensors*"): old.unlink()
    (directory / "config.json").write_text(json.dumps(config))
    if shards == 1:
        write_file(directory / "model.safetensors", tensors, rng, aliases)
        return
    names, weight_map = sorted(tensors), {}
    for shard in range(shards):
        part = names[shard::shards]
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        write_file(directory / file, {name: tensors[name] for name in part}, rng, aliases)
        weight_map |= {name: file for name in part}
        weight_map |= {other: file for other, name in dict(aliases).items() if name in part}
    index = {"metadata": {"total_size": sum(t.bits.nbytes for t in tensors.values())}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))


def write_adapter(directory, modules, config, rng=None):
    """modules: {module path: (A, B)}."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "adapter_config.json").write_text(json.dumps(config))
    tensors = {f"base_model.model.{module}.lora_{role}.weight": tensor
               for module, pair in modules.items() for role, tensor in zip("AB", pair)}
    write_file(directory / "adapter_model.safetensors", tensors, rng)


def lora_rank_and_scaling(config, module):
    """As PEFT reads adapter_config.json: the first pattern that matches the end of a module's path wins."""
    def value(patterns, default):
        found = next((p for p in patterns if re.match(rf"(.*\.)?({p})$", module)), module)
        return patterns.get(found, default)
    rank = value(config.get("rank_pattern", {}), config["r"])
    alpha = value(config.get("alpha_pattern", {}), config["lora_alpha"])
    return rank, alpha / math.sqrt(rank) if config["use_rslora"] else alpha / rank


def read_file(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        bits = np.frombuffer(data[begin:end], STORAGE[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = Tensor(entry["dtype"], bits)
    return tensors, metadata


def read_model(directory):
    """{name: Tensor} of a directory; its index, when it has one, must name every tensor where it is."""
    index = os.path.join(directory, "model.safetensors.index.json")
    if not os.path.exists(index): return read_file(os.path.join(directory, "model.safetensors"))[0]
    weight_map = json.loads(pathlib.Path(index).read_text())["weight_map"]
    tensors = {}
    for file in sorted(set(weight_map.values())):
        found = read_file(os.path.join(directory, file))[0]
        named = {name for name, where in weight_map.items() if where == file}
        if named != set(found): raise ValueError(f"{file} and the index disagree on {sorted(named ^ set(found))}")
        tensors |= found
    return tensors


def files_of(directory):
    return sorted(str(path) for path in pathlib.Path(directory).glob("*.safetensors"))
