"""What every part of a random case shares: the dice, the case in the making, and its statements."""
from dataclasses import dataclass, field

import numpy as np

import recipe as r


@dataclass
class Source:
    """A checkpoint on disk: its tensors and how they are stored."""
    name: str
    path: str
    tensors: dict
    shards: int = 1
    exception: str = None       # missing base, missing skip, extra skip
    nan: str = None             # zero or propagate
    integers: dict = field(default_factory=dict)    # what is copied, not merged; equal to the base's unless `int base`

    @property
    def plain(self): return not self.settings()

    def settings(self):
        """The lines behind its declaration."""
        return [line for line in (self.exception, self.nan and f"nan {self.nan}", self.int_base and "int base") if line]

    int_base: bool = False
    tied: bool = False          # its head is its embedding, though the base stores two tensors


@dataclass
class Output:
    path: str
    value: object               # Model or Vector
    dtype: object = None        # a Word, as the recipe spells it
    overflow: str = None        # the recipe's; None is an error


@dataclass
class Case:
    seed: int
    text: str = ""
    statements: list = field(default_factory=list)
    library: str = None                                 # text of lib/common.theta
    sources: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    parameters: dict = field(default_factory=dict)      # given by -p
    shapes: dict = field(default_factory=dict)
    depths: dict = field(default_factory=dict)
    aliases: dict = field(default_factory=dict)
    adapters: list = field(default_factory=list)        # (path, modules, config)

    def source(self, name):
        return next(s for s in self.sources if s.name == name)

    @property
    def base(self): return self.sources[0]

    def context(self, name):
        names = (name, *(other for other, stored in self.aliases.items() if stored == name))
        return r.Context(name, names, self.shapes[name], self.depths)


class Draw:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.case = Case(seed)
        self.statements = []
        self.whole_vectors = []     # that have every tensor of the base

    def chance(self, p): return self.rng.random() < p
    def pick(self, options): return options[int(self.rng.integers(len(options)))]
    def between(self, low, high): return int(self.rng.integers(low, high))

    def some(self, options, least=1):
        """In the order given."""
        count = self.between(least, len(options) + 1)
        return [options[i] for i in sorted(self.rng.choice(len(options), count, replace=False))]

    def declare(self, statement): self.statements.append(statement)

    def name(self, word):
        """A new one, such as mask3."""
        return f"{word}{sum(statement.startswith(word) for statement in self.statements)}"
