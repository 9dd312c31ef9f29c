"""Random models and a random recipe over them.  One seed, one case; which options theta is run with is not decided here."""
import re
from dataclasses import dataclass, field

import numpy as np

import checkpoints
import recipe as r
import strict as st

DTYPES = ["BF16", "BF16", "BF16", "F32", "F32", "F16", "F64"]
DELTAS = ["normal", "normal", "normal", "normal", "coarse", "coarse", "sparse", "sparse", "equal", "equal", "large"]


@dataclass
class Source:
    """A checkpoint on disk: its tensors and how they are stored."""
    name: str
    path: str
    tensors: dict
    shards: int = 1
    exception: str = None       # missing base, missing skip, extra skip
    nan: str = None             # zero or propagate


@dataclass
class Output:
    path: str
    value: object               # Model or Vector
    dtype: str = None           # as safetensors spells it
    overflow: str = None        # the recipe's; None is an error


@dataclass
class Case:
    seed: int
    text: str = ""
    library: str = None                                 # text of lib/common.theta
    sources: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    parameters: dict = field(default_factory=dict)      # given by -p
    shapes: dict = field(default_factory=dict)
    depths: dict = field(default_factory=dict)
    aliases: dict = field(default_factory=dict)
    integers: dict = field(default_factory=dict)
    adapters: list = field(default_factory=list)        # (path, modules, config)

    def source(self, name):
        return next(s for s in self.sources if s.name == name)

    def context(self, name):
        names = (name, *(other for other, stored in self.aliases.items() if stored == name))
        return r.Context(name, names, self.shapes[name], self.depths)


class Generator:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.case = Case(seed)
        self.statements = []
        self.huge = self.chance(0.08)   # values that float16 cannot hold

    # ------------------------------------------------------------------------------------------ small choices

    def chance(self, p): return self.rng.random() < p
    def pick(self, options): return options[int(self.rng.integers(len(options)))]
    def some(self, options, least=1):
        count = int(self.rng.integers(least, len(options) + 1))
        return [options[i] for i in sorted(self.rng.choice(len(options), count, replace=False))]

    def declare(self, statement): self.statements.append(statement)

    # ------------------------------------------------------------------------------------------ models

    def shapes(self):
        rng, case = self.rng, self.case
        vocabulary, hidden, inner = (int(rng.integers(low, high)) for low, high in ((5, 90), (1, 70), (1, 90)))
        depth = int(rng.integers(1, 6))
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
        if self.chance(0.4):
            for i in range(int(rng.integers(1, 4))): shapes[f"vision.blocks.{i}.conv.weight"] = (3, 5, 3, 3)
        for name, shape in {"logit_scale": (), "empty.weight": (0,), "flat.weight": (3, 0, 2), "one.weight": (1,),
                            "b255.weight": (255,), "b256.weight": (256,), "b257.weight": (257,), "columns.weight": (130, 1),
                            "blocks.weight": (3, 4097), "line.weight": (12289,), "wide.weight": (2, 17, 9)}.items():
            if self.chance(0.25): shapes[name] = shape
        if self.chance(0.08): shapes["large.weight"] = (701, 1500)
        case.shapes = shapes
        for name in shapes:
            place = case.context(name).stack()
            if place: case.depths[place[0]] = max(case.depths.get(place[0], 0), place[1] + 1)

    def stored(self, values, dtype):
        if dtype == "F16": values = np.clip(values, -65504, 65504)
        return st.Tensor(dtype, st.narrow(values.astype(np.float64), dtype)[0].reshape(values.shape))

    def base_values(self, shape):
        x = self.rng.standard_normal(shape) * 0.05
        if self.huge and self.chance(0.3): x = x * 2e6
        x = np.where(self.rng.random(shape) < 0.02, -0.0, x)
        return np.where(self.rng.random(shape) < 0.01, 3e-42, x)     # denormal in f32 and bf16, 0 in f16

    def delta(self, shape, kind):
        if kind == "equal": return np.zeros(shape)
        d = self.rng.standard_normal(shape) * 0.004
        if kind == "large": d = d * 12
        if kind == "coarse": d = np.round(d / 0.002) * 0.002
        if kind == "sparse": d = np.where(self.rng.random(shape) < 0.7, 0.0, d)
        return d

    def dtypes(self):
        usual, norms = self.pick(DTYPES), self.pick(DTYPES)
        mixed = self.chance(0.3)
        return {name: norms if mixed and ("norm" in name or len(shape) < 2) else usual
                for name, shape in self.case.shapes.items()}

    def models(self):
        case, rng = self.case, self.rng
        base_dtypes = self.dtypes()
        values = {name: self.base_values(shape) for name, shape in case.shapes.items()}
        base = {name: self.stored(values[name], base_dtypes[name]) for name in case.shapes}
        exact = {name: st.widen(base[name], np.float64) for name in base}
        self.add_source("llama", base, "base")
        for name in ("maths", "code", "poems", "chess")[:int(rng.integers(1, 5))]:
            dtypes = self.dtypes() if self.chance(0.25) else base_dtypes
            model = {}
            for tensor, shape in case.shapes.items():
                delta = self.delta(shape, self.pick(DELTAS))
                x = np.where(delta == 0, exact[tensor], exact[tensor] + delta)
                model[tensor] = self.stored(x, dtypes[tensor])
            self.add_source(name, model, "model")
        if self.chance(0.15):       # every model has the same, so it is copied
            case.integers["model.rotary.position_ids"] = st.Tensor("I64", np.arange(7, dtype=np.uint64).reshape(1, 7))

    def add_source(self, name, tensors, word):
        case = self.case
        source = Source(name, f"models/{name}" + (" ü" if self.chance(0.1) else ""), tensors,
                        1 if self.chance(0.6) or len(tensors) < 3 else int(self.rng.integers(2, 4)))
        if word == "model" and self.chance(0.2): self.break_names(source)
        if self.chance(0.08): self.break_numbers(source)
        case.sources.append(source)
        allowed = [*([source.exception] if source.exception else []), *([f"nan {source.nan}"] if source.nan else [])]
        body = f" {{\n  {chr(10).join(allowed)}\n}}" if allowed else ""
        self.declare(f'{word} {name} = "{source.path}"{body}\n')

    def break_names(self, source):
        """Lets it lack a tensor, or have one too many."""
        if self.chance(0.3):
            source.exception, source.tensors["zusätzlich.weight"] = "extra skip", self.stored(np.ones(3), "F32")
            return
        lacking = self.pick(sorted(self.case.shapes))
        if lacking in self.case.aliases.values(): return
        del source.tensors[lacking]
        source.exception = self.pick(["missing base", "missing skip"])

    def break_numbers(self, source):
        """Puts NaN, some of them not canonical, and infinities into a tensor."""
        names = [name for name in sorted(source.tensors) if source.tensors[name].bits.size]
        name, source.nan = self.pick(names), self.pick(["zero", "propagate"])
        dtype, bits = source.tensors[name]
        _, _, _, quiet, infinite = st.FORMATS[dtype]
        bits = bits.copy()
        where = self.rng.random(bits.shape) < 0.02
        where.reshape(-1)[0] = True
        bits[where] = np.array([quiet, quiet + 1, infinite, infinite + 1], bits.dtype)[self.rng.integers(0, 4, int(where.sum()))]
        source.tensors[name] = st.Tensor(dtype, bits)

    def checkpoint(self, source):
        return r.checkpoint(source.name, source.tensors, source.exception, source.nan or "propagate")

    def adapter(self):
        case, rng = self.case, self.rng
        modules, rank, alpha = {}, int(rng.integers(1, 6)), int(rng.integers(1, 17))
        transposed, rslora = self.chance(0.2), self.chance(0.3)
        dtype = self.pick(["F32", "BF16", "F16"])
        matrices = [n for n, s in case.shapes.items() if len(s) == 2 and "layers" in n]
        for name in self.some(matrices):
            out, into = case.shapes[name][::-1] if transposed else case.shapes[name]
            pair = (rng.standard_normal(shape) * 0.1 for shape in ((rank, into), (out, rank)))
            modules[name.removesuffix(".weight")] = tuple(self.stored(x, dtype) for x in pair)
        scaling = st.lora_scaling(alpha, rank, rslora)
        config = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "use_rslora": rslora, "bias": "none",
                  "fan_in_fan_out": transposed, "target_modules": sorted({m.split(".")[-1] for m in modules})}
        case.adapters.append(("adapters/chat", modules, config))
        self.declare('adapter chat = "adapters/chat" on llama\n')
        return r.adapter("chat", modules, {m: scaling for m in modules}, transposed)

    # ------------------------------------------------------------------------------------------ values

    def matching(self, selector):
        return {name for name in self.case.shapes if selector.takes(self.case.context(name))}

    def selector(self, depth=2):
        """One that takes some tensor, but not all."""
        while True:
            s = self.any_selector(depth)
            if 0 < len(self.matching(s)) < len(self.case.shapes): return s

    def any_selector(self, depth):
        kind = self.rng.random()
        if depth and kind < 0.15: return r.and_(self.any_selector(depth - 1), self.any_selector(depth - 1))
        if depth and kind < 0.3: return r.or_(self.any_leaf(), self.any_leaf())
        if depth and kind < 0.4: return r.not_(self.any_leaf())
        return self.any_leaf()

    def any_leaf(self):
        if self.chance(0.35):
            stop = max(self.case.depths.values())
            first = int(self.rng.integers(0, stop))
            end = self.pick([None, stop, int(self.rng.integers(first + 1, stop + 1))])
            return r.layers(first - stop if self.chance(0.2) and end is None else first, end)
        patterns = [p for p in ("*norm*", "*.mlp.*", "*self_attn*", "model.layers.[0-1].*", "*embed*", "lm_head.*", "*.weight",
                                "model.*", "*conv*", "model.layers.?.*_proj.weight", "logit_scale", "b25*", "*")
                    if self.matching(r.glob(p))]
        return r.glob(self.pick(patterns)) if self.chance(0.7) else r.tensors(self.some(patterns)[:2])

    def arms(self, make):
        """Arms of a `match` of which each wins somewhere."""
        left, arms = set(self.case.shapes), []
        for _ in range(int(self.rng.integers(1, 3))):
            selector = self.selector(1)
            if self.matching(selector) & left and left - self.matching(selector):
                arms.append((selector, make()))
                left -= self.matching(selector)
        return arms

    def plain(self, low, high):
        x = float(self.rng.uniform(low, high))
        return min(max(round(x, int(self.rng.integers(1, 5))), low), high) if self.chance(0.8) else x

    def number(self, low, high, depth=2):
        """Within [low, high] for every tensor, because each piece is."""
        make = lambda: self.number(low, high, depth - 1)
        kind = self.rng.random()
        if depth and kind < 0.12:
            over = None
            if self.chance(0.3):
                stop = max(self.case.depths.values())
                first = int(self.rng.integers(0, stop))
                over = (first, int(self.rng.integers(first + 1, stop + 1)))
            points = [r.number(self.plain(low, high)) for _ in range(int(self.rng.integers(2, 5)))]
            return r.ramp(points, over, r.number(self.plain(low, high)) if self.chance(0.5) else None)
        if depth and kind < 0.2:
            arms = self.arms(make)
            if arms: return r.match_number(arms, make())
        if depth and kind < 0.26: return r.arithmetic(r.arithmetic(make(), "+", make()), "/", r.number(2.0))
        if kind < 0.34: return self.parameter(self.plain(low, high))
        return r.number(self.plain(low, high))

    def parameter(self, value):
        name = f"p{sum(s.startswith('param') for s in self.statements)}"
        given = self.chance(0.5)
        default = r.number(0.125 if given else value)
        self.declare(f"param {name}: number = {default.text}\n")
        if given: self.case.parameters[name] = value
        return r.parameter(name, value)

    def weight(self):
        if self.chance(0.05): return r.number(0.0)
        return self.number(-1.2, -0.1) if self.chance(0.12) else self.number(0.1, 1.3)

    def density(self): return r.number(1.0) if self.chance(0.05) else self.number(0.02, 0.98)

    def method_mask(self, rescale):
        per = self.pick([None, "row", "last", "tensor"])
        how = self.pick([None, "none", "inv", "l1"]) if rescale else self.pick([None, "none"])
        stream = int(self.rng.integers(0, 9)) if self.chance(0.1) else None
        kind = self.pick(["magnitude", "breadcrumbs"])
        return r.mask_method(kind, self.density(), self.number(0.0, 0.3) if kind == "breadcrumbs" else None, per,
                             self.chance(0.2), how, stream)

    def mask(self):
        kind = self.rng.random()
        if kind < 0.55: mask = self.method_mask(True)
        elif kind < 0.65: mask = r.selector_mask(self.selector())
        elif kind < 0.75: mask = r.mask_and(self.method_mask(True), r.selector_mask(self.selector()))
        elif kind < 0.82: mask = r.mask_or(self.method_mask(False), self.method_mask(False))
        elif kind < 0.88: mask = r.mask_and(self.method_mask(False), r.mask_not(self.method_mask(False)))
        elif kind < 0.92: mask = r.mask_not(self.method_mask(False))
        else:
            arms = self.arms(lambda: self.method_mask(True))
            mask = r.match_mask(arms, self.method_mask(True)) if arms else self.method_mask(True)
        if self.chance(0.4):
            name = f"mask{sum(s.startswith('mask') for s in self.statements)}"
            self.declare(f"mask {name} = {mask.text}\n")
            return r.named(mask, name)
        return mask

    def strategy(self):
        """→ strategy, name of its method"""
        found, method = self.plain_strategy()
        if not self.chance(0.1): return found, method
        name = f"soft{sum(s.startswith('strategy') for s in self.statements)}"
        self.declare(f"strategy {name} = {found.text}\n")
        return r.named(found, name), method

    def plain_strategy(self):
        scale = self.number(0.1, 1.5) if self.chance(0.4) else None
        method = self.pick(["sum", "sum", "mean", "ties", "ties", "ties"])
        if method != "ties": found = r.strategy(method, scale)
        else: found = r.strategy(method, scale, self.pick([None, "weighted", "unweighted", "count"]),
                                 self.pick([None, "weights", "count", "none"]))
        return found, method

    # ------------------------------------------------------------------------------------------ merges

    def block(self, number, base, entries, vectors):
        method, kind = self.strategy()
        weight = (lambda: self.number(0.1, 1.3)) if kind == "mean" else self.weight
        clauses = lambda p_weight, p_mask: r.Clauses(weight() if self.chance(p_weight) else None,
                                                     self.mask() if self.chance(p_mask) else None)
        lines, chosen = [], self.some(entries)
        self.rng.shuffle(chosen)
        if len(chosen) > 1 and self.chance(0.2):
            plain = {s.name for s in self.case.sources if not s.exception and not s.nan}    # a list states no exceptions
            listed = [m for m in chosen if m.text in plain]
            if len(listed) > 1:
                name = f"runs{number}"
                paths = ", ".join(f'"{self.case.source(m.text).path}"' for m in listed)
                self.declare(f"models {name} = [{paths}]\n")
                chosen = [m for m in chosen if m not in listed]
                lines.append(r.Line(name, listed, clauses(0.5, 0.4)))
        lines += [r.Line(e.text, [e], clauses(0.7, 0.4)) for e in chosen]
        lines += [r.Line(v.text, [v], clauses(0.7, 0.4)) for v in (self.some(vectors) if vectors and self.chance(0.6) else [])]
        each = clauses(0.2, 0.35) if self.chance(0.6) else r.Clauses()
        ats = self.ats(base, entries, lines, clauses, weight)
        block = r.Block(f"merge{number}", base, method, lines, each, ats)
        self.declare(block.text())
        return block.model()

    def ats(self, base, entries, lines, clauses, weight):
        """`at` blocks and `keep`s that each win for some tensor; a `keep` wins over blocks whatever the order."""
        wanted = [(self.selector(), self.chance(0.35)) for _ in range(int(self.rng.integers(0, 4)))]
        kept, left, ats = set(), set(self.case.shapes), []
        for selector, keeps in wanted:
            takes = self.matching(selector)
            # Where little is left to the merge, a `match` in it may have an arm that never wins.
            if not keeps or len(kept | takes) > len(left) / 2 or not takes - kept: continue
            ats.append(r.At(selector, keep=self.pick([base, *(e for e in entries if not e.exception)])))
            kept |= takes
        left -= kept
        for selector, keeps in wanted:
            if keeps or not self.matching(selector) & left: continue
            left -= self.matching(selector)
            stated = clauses(0.7, 0.5)
            line = int(self.rng.integers(len(lines)))
            at = r.At(selector, clauses={line: stated if stated.text() else r.Clauses(weight())})
            ats.insert(int(self.rng.integers(len(ats) + 1)) if not any(a.clauses for a in ats) else len(ats), at)
        return ats

    def vector(self, number, models, base):
        whole = [m for m in models if m.exception is None]
        if not whole: return None
        v = r.difference(self.pick(whole), base)
        for _ in range(int(self.rng.integers(0, 3))):
            kind = int(self.rng.integers(5))
            if kind == 0: v = r.masked(v, self.mask())
            if kind == 1: v = r.times(self.number(0.1, 1.5), v)
            if kind == 2: v = r.over(v, self.number(0.5, 2))
            if kind == 3: v = r.minus(v)
            if kind == 4: v = r.add(v, self.pick("+-"), r.difference(self.pick(whole), base))
        name = f"vector{number}"
        self.declare(f"vector {name} = {v.text}\n")
        return v._replace(text=name)

    def expression(self, number, models, base, vectors):
        whole, kind = [m for m in models if m.exception is None], self.rng.random()
        if kind < 0.3 and whole:
            inputs = [base, *self.some(whole)] if self.chance(0.5) else self.some(whole)
            normalize = self.chance(0.8)
            weights = [self.number(0.1, 1.2) for _ in inputs] if self.chance(0.7) else None
            m = r.linear(inputs, weights, normalize)
        elif kind < 0.5 and whole:
            m = r.slerp(base, self.pick(whole), self.number(0.0, 1.0))
        elif vectors:
            ws = [self.number(0.1, 1.2) for _ in vectors] if self.chance(0.6) else None
            use = self.rng.random()
            if use < 0.5: v = r.call(self.plain_strategy()[0], vectors, ws)
            elif use < 0.75: v = r.times(self.number(0.1, 1), vectors[0])
            else: v = r.rebase(vectors[0], base)
            m = r.onto(base, self.pick("++-"), v)
        else: m = r.linear([base])
        name = f"merge{number}"
        self.declare(f"merge {name} = {m.text}\n")
        return m._replace(text=name)

    # ------------------------------------------------------------------------------------------ the whole

    def generate(self):
        self.shapes()
        self.models()
        base, *models = [self.checkpoint(s) for s in self.case.sources]
        chat = [self.adapter()] if self.chance(0.3) else []
        vectors = [v for i in range(int(self.rng.integers(0, 3))) if (v := self.vector(i, models, base))]
        merges = []
        for i in range(int(self.rng.integers(1, 4))):
            under = self.pick(merges) if merges and self.chance(0.3) else base
            entries = models + [m for m in merges if m is not under and self.chance(0.4)]
            if self.chance(0.65): merges.append(self.block(i, under, entries, vectors + chat))
            else: merges.append(self.expression(i, models, base, vectors))
        self.outputs(merges, vectors)
        self.write_text()
        return self.case

    def outputs(self, merges, vectors):
        wanted = [m for m in merges if self.chance(0.5)] or merges[-1:]
        wanted += [v for v in vectors if self.chance(0.2) and not self.case.integers]
        for i, value in enumerate(wanted):
            dtype = self.pick(["F32", "BF16", "F16", "F64"]) if self.chance(0.4) else None
            settings = [f"dtype {dtype.lower()}"] if dtype else []
            if self.chance(0.2): settings.append(f"shard {self.pick(['20kB', '64KiB', '1MB'])}")
            # A propagated NaN can spread over a whole tensor by a sum, which counts as overflow.
            broken = self.huge or any(source.nan == "propagate" for source in self.case.sources)
            overflow = self.pick(["saturate", "inf"]) if broken or self.chance(0.1) else None
            if overflow: settings.append(f"overflow {overflow}")
            block = f" {{ {settings[0]} }}" if len(settings) == 1 else " {\n  " + "\n  ".join(settings) + "\n}"
            self.declare(f'output "dist/out{i}" = {value.text}{block if settings else ""}\n')
            self.case.outputs.append(Output(f"dist/out{i}", value, dtype, overflow))

    def write_text(self):
        statements = list(self.statements)
        if self.chance(0.25): statements = self.into_library(statements)
        if self.chance(0.5): self.rng.shuffle(statements)
        self.case.text = "theta 1\n\n" + "".join(statements)

    def into_library(self, statements):
        """Moves what needs no other declaration into a file of its own, to be imported."""
        movable = [s for s in statements if re.match("(mask|strategy) ", s) and not re.search(r"\b(p|mask)\d+\b", s.split("=", 1)[1])]
        if not movable: return statements
        self.case.library = "theta 1\n" + "".join(movable)
        names = "|".join(s.split()[1] for s in movable)
        rest = [re.sub(rf"\b({names})\b", r"lib.\1", s) for s in statements if s not in movable]
        return ['import "lib/common.theta" as lib\n', *rest]


def write_inputs(case, directory, only=None):
    """Writes the models of a case (`only`: of this name); the same bits whenever it is called."""
    for number, source in enumerate(case.sources):
        if only not in (None, source.name): continue
        rng = np.random.default_rng([case.seed, number])
        config = {"model_type": "llama", "tie_word_embeddings": bool(case.aliases), "torch_dtype": "bfloat16"}
        shared = case.aliases if "lm_head.weight" in case.shapes else {}
        checkpoints.write_model(directory / source.path, source.tensors | case.integers, config, source.shards,
                                rng if rng.random() < 0.5 else None, shared)
    for path, modules, config in case.adapters:
        if only is None: checkpoints.write_adapter(directory / path, modules, config)


def change_one_tensor(case, rng):
    """Changes some elements of one tensor of one fine-tune: → its name, or None when there is nothing to change."""
    source = case.sources[int(rng.integers(1, len(case.sources)))]
    names = [name for name in sorted(source.tensors) if source.tensors[name].bits.size]
    name = names[int(rng.integers(len(names)))]
    dtype, bits = source.tensors[name]
    x = st.widen(source.tensors[name], np.float64)
    x = x + np.where((rng.random(x.shape) < 0.5) & np.isfinite(x), 0.01, 0.0)
    source.tensors[name] = st.Tensor(dtype, st.narrow(x, dtype)[0].reshape(bits.shape))
    return source.name


def second_recipe(case, output, rng):
    """A recipe over a vector that `output` wrote: → text, its own output."""
    stored = expected(case, output)
    llama = Generator(0).checkpoint(case.source("llama"))
    v = r.stored_vector("delta", stored)
    factor = r.number(round(float(rng.uniform(0.1, 2)), 3))
    text = f'theta 1\nbase llama = "{case.source("llama").path}"\nvector delta = "{output.path}" on llama\n'
    m = r.onto(llama, "-", r.times(factor, v))
    return f'{text}merge back = {m.text}\noutput "dist/back" = back {{ dtype f32 }}\n', Output("dist/back", m, "F32")


def expected(case, output):
    """{name: Tensor} of an output."""
    result = dict(case.integers)
    is_model = isinstance(output.value, r.Model)
    stored = case.source(output.value.donor if is_model else "llama").tensors
    for name in case.shapes:
        dtype = output.dtype or (stored[name].dtype if is_model else "F32")
        context = case.context(name)
        output.value.value(context)                     # finds the dtypes that decide W
        context.W, context.finite = st.work_type(dtype, *context.dtypes), True
        value = output.value.value(context)
        bits, _ = st.write(value, dtype, np.broadcast_to(context.finite, value.shape), output.overflow or "inf")
        result[name] = st.Tensor(dtype, bits.reshape(value.shape))
    return result
