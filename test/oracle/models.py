"""Random checkpoints and adapters, and the statements that declare them."""
import numpy as np

import checkpoints
import recipe as r
import strict as st
from draw import Source

DTYPES = ["BF16", "BF16", "BF16", "BF16", "F32", "F32", "F32", "F16", "F16", "F64", "F64", "F8_E4M3", "F8_E5M2"]
DELTAS = ["normal", "normal", "normal", "normal", "coarse", "coarse", "sparse", "sparse", "equal", "equal", "large",
          "step", "opposite", "away", "nothing", "relative", "relative", "double", "one", "spike", "like", "against"]
LARGEST = {"F8_E4M3": 448.0, "F8_E5M2": 57344.0, "F16": 65504.0, "BF16": 3.3895313892515355e38, "F32": 3.4028234663852886e38, "F64": 1.7976931348623157e308}
SPECIAL_SHAPES = {"logit_scale": (), "empty.weight": (0,), "flat.weight": (3, 0, 2), "one.weight": (1,), "two.weight": (2,),
                  "b255.weight": (255,), "b256.weight": (256,), "b257.weight": (257,), "columns.weight": (130, 1),
                  "blocks.weight": (3, 4097), "line.weight": (12289,), "wide.weight": (2, 17, 9), "point.weight": (9, 1, 1, 1),
                  "row.weight": (1, 1, 33), "hollow.weight": (2, 0, 3, 3), "deep.weight": (2, 3, 2, 2, 3), "strange \\ é\u0301.weight": (4, 4)}
LARGE_SHAPES = {"large.weight": (701, 1500), "under.weight": ((1 << 20) - 1,), "even.weight": (1 << 20,), "above.weight": (1, (1 << 20) + 1),
                "rows.weight": (3, 70001)}


EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def draw_shapes(g):
    rng, case = g.rng, g.case
    vocabulary, hidden, inner = (g.between(low, high) for low, high in ((5, 90), (1, 70), (1, 90)))
    depth = g.between(1, 6)
    shapes = {"model.embed_tokens.weight": (vocabulary, hidden), "model.norm.weight": (hidden,)}
    for i in range(depth):
        shapes[f"model.layers.{i}.self_attn.q_proj.weight"] = (hidden, hidden)
        shapes[f"model.layers.{i}.mlp.up_proj.weight"] = (inner, hidden)
        if i % 2 == 0: shapes[f"model.layers.{i}.input_layernorm.weight"] = (hidden,)
    tied = rng.random()
    if tied < 0.6: shapes["lm_head.weight"] = (vocabulary, hidden)
    elif tied < 0.8:        # tie_word_embeddings: the head is the embedding
        case.aliases = {"lm_head.weight": "model.embed_tokens.weight"}
    elif tied < 0.9:        # one payload under two names, of which the smaller by bytes is the stored one
        del shapes["model.embed_tokens.weight"]
        shapes["lm_head.weight"] = (vocabulary, hidden)
        case.aliases = {"model.embed_tokens.weight": "lm_head.weight"}
    if g.chance(0.4):
        for i in range(g.between(1, 4)): shapes[f"vision.blocks.{i}.conv.weight"] = (3, 5, 3, 3)
    for name, shape in SPECIAL_SHAPES.items():
        if g.chance(0.22): shapes[name] = shape
    if g.chance(0.08):
        name = g.pick(sorted(LARGE_SHAPES))
        shapes[name] = LARGE_SHAPES[name]
    case.shapes = shapes
    for name in shapes:
        place = case.context(name).stack()
        if place: case.depths[place[0]] = max(case.depths.get(place[0], 0), place[1] + 1)


def stored(values, dtype):
    """Rounded to the dtype; what it cannot hold becomes its largest."""
    values = np.clip(np.asarray(values, np.float64), -LARGEST[dtype], LARGEST[dtype])
    return st.Tensor(dtype, st.narrow(values, dtype)[0].reshape(values.shape))


class Models:
    """The checkpoints of one case, in the making."""

    def __init__(self, g):
        self.g = g
        self.huge = g.pick([2e6, 1e40, 1e307]) if g.chance(0.1) else None   # values that a dtype or W cannot hold

    def draw(self):
        g = self.g
        base_dtypes = self.dtypes()
        base = {name: stored(self.base_values(shape), base_dtypes[name]) for name, shape in g.case.shapes.items()}
        exact = {name: st.widen(base[name], np.float64) for name in base}
        integers = self.integers() if g.chance(0.2) else {}
        grouped = g.chance(0.4)     # some of them in one directory, for `models` lists with a glob
        self.add("llama", base, "base", integers, False)
        before = exact
        for name in ("maths", "code", "poems", "chess", "law", "music", "verse")[:g.between(1, 5) if g.chance(0.93) else 7]:
            dtypes = self.dtypes() if g.chance(0.25) else base_dtypes
            model, exactly = {}, {}
            for tensor, shape in g.case.shapes.items():
                x = self.fine_tuned(exact[tensor], g.pick(DELTAS), before[tensor])
                model[tensor] = stored(x, dtypes[tensor])
                exactly[tensor] = st.widen(model[tensor], np.float64)
            before = exactly
            self.add(name, model, "model", integers, grouped)

    def dtypes(self):
        usual, norms = self.g.pick(DTYPES), self.g.pick(DTYPES)
        mixed = self.g.chance(0.3)
        return {name: norms if mixed and ("norm" in name or len(shape) < 2) else usual
                for name, shape in self.g.case.shapes.items()}

    def base_values(self, shape):
        g, kind = self.g, self.g.rng.random()
        if kind < 0.04: return np.zeros(shape)
        x = g.rng.standard_normal(shape) * 0.05
        if kind < 0.07: return x * g.pick([1e-6, 1e-18, 1e-30, 1e-38, 1e-44, 1e-160, 1e-200, 1e-310])
        if kind < 0.2: return np.round(x * 64) / 64     # with "step" every magnitude of a difference is the same
        if self.huge and g.chance(0.3): x = x * self.huge
        x = np.where(g.rng.random(shape) < 0.02, -0.0, x)
        tiny = g.pick([3e-42, 1e-40, 6e-8, 5e-324])     # denormal in some dtype, 0 in others
        return np.where(g.rng.random(shape) < 0.01, tiny, x)

    def fine_tuned(self, x, kind, before):
        """before: the last model's; its change goes the same way ("like") or the opposite one ("against")."""
        rng, shape = self.g.rng, x.shape
        if kind == "equal": return x
        if kind == "opposite": return -x
        if kind == "nothing": return np.zeros(shape)
        if kind == "away": return rng.standard_normal(shape) * 0.05
        if kind == "relative": return x * (1 + 0.1 * rng.standard_normal(shape))
        if kind == "double": return x + x
        if kind == "like": return x + self.g.pick([1, 2, 0.125]) * (before - x)
        if kind == "against": return x - self.g.pick([1, 0.5]) * (before - x)
        d = rng.standard_normal(shape) * 0.004
        if kind in ("one", "spike") and d.size:
            at = self.g.between(0, d.size)
            d.reshape(-1)[at] = 64 * d.reshape(-1)[at] if kind == "spike" else 1
            if kind == "one": d = np.where(np.arange(d.size).reshape(shape) == at, d, 0)
        if kind == "step": d = np.where(d < 0, -1.0, 1.0) / 64
        if kind == "large": d = d * 12
        if kind == "coarse": d = np.round(d / 0.002) * 0.002
        if kind == "sparse": d = np.where(rng.random(shape) < 0.7, 0.0, d)
        return np.where(d == 0, x, x + d)

    def integers(self):
        """Tensors without arithmetic; the odd sizes move the payloads behind them to odd offsets."""
        g = self.g
        drawn = {"model.rotary.position_ids": st.Tensor("I64", np.arange(7, dtype=np.uint64).reshape(1, 7))}
        for name, dtype in (("attention.mask", "BOOL"), ("bytes.table", "U8"), ("short.table", "I16"), ("token.ids", "I32")):
            if g.chance(0.4):
                values = g.rng.integers(0, 2 if dtype == "BOOL" else 100, g.between(0, 9))
                drawn[name] = st.Tensor(dtype, values.astype(checkpoints.STORAGE[dtype]))
        return drawn

    def add(self, name, tensors, word, integers, grouped):
        g = self.g
        source = Source(name, f"models/{name}" + (" ü" if g.chance(0.1) else ""), tensors,
                        1 if g.chance(0.6) or len(tensors) < 3 else g.between(2, 4), integers=dict(integers))
        if word == "model" and g.chance(0.2): self.break_names(source)
        if word == "model" and source.plain and {HEAD, EMBEDDING} <= set(tensors) and g.chance(0.1):
            source.tied = True
            del source.tensors[HEAD]
        if g.chance(0.08): self.break_numbers(source)
        if word == "model" and integers and g.chance(0.3): self.break_integers(source)
        if grouped and source.plain and g.chance(0.7): source.path = f"runs/{name}/final"
        g.case.sources.append(source)
        body = f" {{\n  {chr(10).join(source.settings())}\n}}" if source.settings() else ""
        g.declare(f'{word} {name} = "{source.path}"{body}\n')

    def break_names(self, source):
        """Lets it lack a tensor, or have one too many."""
        if self.g.chance(0.3):
            source.exception, source.tensors["zusätzlich.weight"] = "extra skip", stored(np.ones(3), "F32")
            return
        if self.g.chance(0.3): return self.resize(source)
        lacking = self.g.pick(sorted(self.g.case.shapes))
        if lacking in self.g.case.aliases.values(): return
        del source.tensors[lacking]
        source.exception = self.g.pick(["missing base", "missing skip"])

    def resize(self, source):
        """Another vocabulary: embedding and head have more or fewer rows."""
        source.exception = "resize common"
        rows = None
        for name in (EMBEDDING, HEAD):
            if name not in source.tensors: continue
            dtype, bits = source.tensors[name]
            # Two names without elements have no place in a file that shows them to be one tensor.
            fewest = 1 if EMBEDDING in self.g.case.aliases else 0
            rows = rows if rows is not None else self.g.pick([fewest, 1, len(bits) - 1, len(bits) + 1, len(bits) + 64, 2 * len(bits)])
            more = stored(self.base_values((max(rows - len(bits), 0), bits.shape[1])), dtype).bits
            source.tensors[name] = st.Tensor(dtype, np.concatenate([bits, more])[:rows])

    def break_numbers(self, source):
        """Puts NaN, some of them not canonical, and infinities into a tensor."""
        names = [name for name in sorted(source.tensors) if source.tensors[name].bits.size]
        name, source.nan = self.g.pick(names), self.g.pick(["zero", "propagate"])
        dtype, bits = source.tensors[name]
        _, _, _, quiet, infinite = st.FORMATS[dtype]
        bits = bits.copy()
        where = self.g.rng.random(bits.shape) < 0.02
        where.reshape(-1)[0] = True
        odd = np.array([quiet, quiet + 1, infinite, infinite + 1], bits.dtype)
        bits[where] = odd[self.g.rng.integers(0, 4, int(where.sum()))]
        source.tensors[name] = st.Tensor(dtype, bits)

    def break_integers(self, source):
        """Other integers than the base's, of another size or dtype too: the base's are taken."""
        source.int_base = True
        name = self.g.pick(sorted(source.integers))
        source.integers[name] = st.Tensor("I32", np.arange(self.g.between(0, 12), dtype=np.uint32))


def model_of(source):
    exception = source.exception or ("int base" if source.int_base else None)
    tied = {HEAD: EMBEDDING} if source.tied else {}
    return r.checkpoint(source.name, source.tensors, exception, source.nan or "propagate", tied)


MODULE_PATTERNS = ["q_proj", "up_proj", r"layers\.0\..*", "layers.1.self_attn.q_proj", "lm_head", r".*mlp\.up_proj", "k_proj"]


def draw_adapter(g):
    """A LoRA adapter on the base: → what it is as a vector."""
    case, rng = g.case, g.rng
    rank, alpha, modules = g.between(1, 6), g.between(1, 17), {}
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "use_rslora": g.chance(0.3), "bias": "none",
              "fan_in_fan_out": g.chance(0.2)}
    if g.chance(0.5): config["rank_pattern"] = {p: g.between(1, 7) for p in g.some(MODULE_PATTERNS)[:3]}
    if g.chance(0.5): config["alpha_pattern"] = {p: g.pick([1, 3, 16, 0.5, 0]) for p in g.some(MODULE_PATTERNS)[:3]}
    dtype = g.pick(["F32", "BF16", "F16", "F64"])
    scalings = {}
    for tensor in g.some([n for n, s in case.shapes.items() if len(s) == 2 and ("layers" in n or n == "lm_head.weight")]):
        module = tensor.removesuffix(".weight")
        own_rank, scalings[module] = checkpoints.lora_rank_and_scaling(config, module)
        out, into = case.shapes[tensor][::-1] if config["fan_in_fan_out"] else case.shapes[tensor]
        pair = (rng.standard_normal(shape) * 0.1 for shape in ((own_rank, into), (out, own_rank)))
        modules[module] = tuple(stored(x, dtype) for x in pair)
    config["target_modules"] = sorted({m.split(".")[-1] for m in modules})
    case.adapters.append(("adapters/chat", modules, config))
    g.declare('adapter chat = "adapters/chat" on llama\n')
    return r.adapter("chat", modules, scalings, config["fan_in_fan_out"])
