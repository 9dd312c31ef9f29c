"""What the outputs of a case are to be: tensor by tensor, in the work types that METHODS.md asks for."""
import re

import numpy as np

import recipe as r
import rounded
import strict as st


def values_of(case, output, rules=rounded):
    """(tensor, dtype, context, value) of each tensor of an output."""
    is_model = isinstance(output.value, r.Model)
    layers = output.value.layers if is_model else None

    def dtype_at(c):
        if output.dtype: return output.dtype.at(c).upper()
        if not is_model: return "F32"
        model, name = layers[c.name] if layers else (output.value, c.name)
        return case.source(model.donor).tensors[name].dtype

    def contexts(everywhere, rules):
        for name in layers or case.shapes:
            context = r.Context(name, (name,), case.shapes[layers[name][1]], output.value.depths) if layers else case.context(name)
            dtype = dtype_at(context)
            if output.value.value(context) is None: continue                # this finds the dtypes that decide W
            context.W, context.finite, context.rules = st.work_type(dtype, *context.dtypes), True, rules
            context.everywhere = everywhere
            context.selected.clear()
            yield name, dtype, context, output.value.value(context)
    if layers: return contexts(under_stack(case, rules), rules)
    wide = set()
    # Where one vector is masked over the model and then another one that is made of it.
    while len(re.findall("per: model|like:", case.text + (case.library or ""))) > 1:
        try: all(contexts(model_wide(case, output, dtype_at, rounded, wide), rounded))
        except Widened: continue
        break
    return contexts(model_wide(case, output, dtype_at, rules, wide), rules)


def work_type_of(value): return value.dtype.type if hasattr(value, "dtype") else value.W


class Widened(Exception):
    """A τ is needed in float64, and was found in float32."""


def model_wide(case, output, dtype_at, rules, wide):
    """τ of all tensors of a vector, each in the W that it has in this output: what masks `per: model` look at.

    wide: (vector, tensor's name) of τ that are float64 because a mask over the model is of what was made of them. One that is met
    when it was found otherwise already is added and Widened is raised.
    """
    known = {}

    def everywhere(asking, vector):
        taus = known[id(vector)][1] if id(vector) in known else {}
        if asking.W is np.float64 and (id(vector), asking.name) not in wide:
            wide.add((id(vector), asking.name))
            if asking.name in taus and work_type_of(taus[asking.name]) is not np.float64: raise Widened()
        if id(vector) in known: return taus
        for name in case.shapes:
            context = case.context(name)
            output.value.value(context)
            if vector.value(context) is None: continue
            context.W, context.finite, context.rules = st.work_type(dtype_at(context), *context.dtypes), True, rules
            if (id(vector), name) in wide: context.W = np.float64
            context.everywhere = everywhere
            taus[name] = vector.value(context)
        known[id(vector)] = vector, taus
        return taus
    return everywhere


def under_stack(case, rules):
    """The same of a model that a stack takes layers from: of all its layers, in the work type of what they are read from."""
    known = {}
    def everywhere(_, vector):
        if id(vector) in known: return known[id(vector)][1]
        taus = {}
        for name in case.shapes:
            context = case.context(name)
            if vector.value(context) is None: continue
            context.W, context.finite, context.rules = st.work_type(*context.dtypes), True, rules
            context.everywhere = everywhere
            taus[name] = vector.value(context)
        known[id(vector)] = vector, taus
        return taus
    return everywhere


def hangs_on(output, context, dtype, bits):
    def on(number):
        context.without, context.selected = number, []
        other, _ = st.write(output.value.value(context), dtype, np.broadcast_to(context.finite, context.shape), output.overflow or "inf")
        return not np.array_equal(other.reshape(-1), bits.reshape(-1))
    return on


def expected(case, output, counted=None):
    """{name: Tensor} of an output; `counted` is given {name: (what masks kept, overflow counters, hangs_on)}, the last of which
    tells of the number of a mask whether the payload is another when that keeps nothing."""
    is_model = isinstance(output.value, r.Model)
    result = dict(case.source(output.value.donor).integers) if is_model else {}
    for name, dtype, context, value in values_of(case, output):
        bits, overflow = st.write(value, dtype, np.broadcast_to(context.finite, value.shape), output.overflow or "inf")
        result[name] = st.Tensor(dtype, bits.reshape(value.shape))
        if counted is not None: counted[name] = list(context.selected), overflow, hangs_on(output, context, dtype, bits)
    return result
