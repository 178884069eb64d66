"""Draws random programs over NumPy arrays: views of views, writes through them, reads in between.

A program is the text of a function f(x, y, z) of a vector, a matrix and a number, which gives a
number that everything goes into, and all that it has made.  It is correct NumPy: shapes are known
as it is written, and what NumPy gives read-only is not written into.
"""

import math

import numpy as np
from hypothesis import strategies as st

INPUTS = {"x": (6,), "y": (2, 3)}
GLOBAL = {"c": (4,)}  # a plain array that the function finds in its module
LARGEST = 24  # elements of an array

SLICES = ("::-1", "1:", ":-1", "::2", ":", "-1:", "-2::-1", ":1", "1::2")
UNIVARIATE = ("np.sin({a})", "np.tanh({a})", "-{a}", "abs({a})", "{a} ** 2", "{a}.cumsum(0)",
              "np.maximum({a}, 0.1)", "1.0 / (2.0 + {a} ** 2)", "np.flip({a}, 0)", "{a}",
              "np.roll({a}, 1, 0)")  # fmt: skip
BIVARIATE = ("{a} * {b}", "{a} - 0.5 * {b}", "{a} / (2.0 + {b} ** 2)", "np.multiply({a}, {b})",
             "np.where({a} > {b}, {b}, np.sin({a}))", "np.tanh({a} + {b})")  # fmt: skip
MIXED = ("{s} * {a}", "{a} + {s}", "{s} - {a}", "np.sin({s} * {a})", "{a} / (2.0 + {s} * {s})")
NUMBERS = ("np.sum({a})", "{a}.mean()", "np.sum({a} * {a})", "math.sin({s})", "{s} * {t}",
           "np.sin({s}) + {t}", "np.sum({a}[{a} > 0.1])", "np.dot({a}.ravel(), {a}.ravel())",
           "{s} / (2.0 + {t} * {t})")  # fmt: skip


class Writer:
    """A program that is being written: its lines, and the shapes of its arrays."""

    def __init__(self, draw):
        self.draw = draw
        self.lines = []
        self.shapes = {**INPUTS, **GLOBAL}
        self.fixed = set()  # arrays that NumPy does not let be written
        self.numbers = ["z"]
        self.complex = {}

    def pick(self, options):
        return self.draw(st.sampled_from(options))

    def below(self, n):
        return self.draw(st.integers(0, n - 1))

    def line(self, text):
        self.lines.append(text)

    def count(self):
        return len(self.shapes) + len(self.numbers) + len(self.complex)

    def name(self, shape):
        name = f"v{self.count()}"
        self.shapes[name] = shape
        return name

    def array(self, shape=None):
        """An array, of a shape if one is asked for; None if there is none."""
        found = [a for a, s in self.shapes.items() if shape in (None, s)]
        return self.pick(found) if found else None

    def target(self, least=1):
        """An array that may be written, of at least so many dimensions."""
        return self.pick(
            [a for a, s in self.shapes.items() if a not in self.fixed and len(s) >= least]
        )

    # -- parts of statements

    def number(self):
        kind = self.below(3)
        if kind == 0:
            return self.pick(self.numbers)
        if kind == 1:
            a = self.array()
            if self.shapes[a]:
                return f"{a}[{self.position(self.shapes[a])}]"
        return self.pick(("0.5", "-1.25", "0.3", "2.0"))

    def position(self, shape):
        return ", ".join(str(self.below(2 * n) - n) for n in shape)

    def expression(self, shape):
        """An array of this shape, or one that broadcasts to it."""
        a = self.array(shape)
        if a is None and shape and self.below(2):
            a = self.array(shape[1:])
        if a is None:
            return f"np.full({shape}, {self.number()})"
        kind = self.below(3)
        if kind == 0 and self.shapes[a]:
            return self.pick(UNIVARIATE).format(a=a)
        if kind == 1:
            return self.pick(BIVARIATE).format(a=a, b=self.array(self.shapes[a]))
        return self.pick(MIXED).format(a=a, s=self.number())

    def basic(self, shape):
        """An index that gives a view."""
        kind = self.below(4)
        if kind == 0:
            return f"{self.below(2 * shape[0]) - shape[0]}, ..."
        if kind == 1 and len(shape) > 1:
            return f"..., {self.cut(shape[-1])}"
        if kind == 2:
            return ", ".join(self.cut(n) for n in shape)
        return self.pick(("...", f"{self.cut(shape[0])}", f"None, {self.cut(shape[0])}"))

    def cut(self, n):
        return self.pick([c for c in SLICES if len(range(n)[eval(f"np.s_[{c}]", {"np": np})])])

    def advanced(self, shape):
        """An index that gives a copy, with repeated positions now and then."""
        n = shape[0]
        kind = self.below(5)
        rows = [self.below(2 * n) - n for _ in range(1 + self.below(4))]
        if kind == 0:
            mask = [bool(self.below(2)) for _ in range(n - 1)]
            return f"np.array({[*mask, True]})"
        if len(shape) > 1:
            columns = [self.below(shape[1]) for _ in rows]
            if kind == 1:
                return f"{rows}, {columns}"
            if kind == 2:
                return f"{self.cut(n)}, {columns}"
            if kind == 3:
                return f"np.ix_({rows}, {columns})"
        return str(rows)

    def index(self, shape):
        return self.basic(shape) if self.below(2) else self.advanced(shape)

    # -- statements

    def make(self):
        shape = self.pick([(3,), (6,), (2, 3), (3, 2), (4,), (2, 2), (2, 1, 3), ()])
        n = math.prod(shape)
        a = self.array()
        kind = self.below(9)
        if kind < 3:
            s = self.number()
            ways = [
                f"np.zeros({shape})",
                f"np.ones({shape}, order='F')",
                f"np.full({shape}, {s})",
                f"(np.arange({n}) * 0.5).reshape({shape})",
                f"np.linspace(-1.0, 1.0, {n}).reshape({shape})",
            ]
            how = self.pick(ways)
        elif kind == 3:
            shape = (3,)
            how = f"np.array([{self.number()}, {self.number()}, {self.number()}])"
        elif kind == 4:
            number, order = self.number(), self.pick("CF")
            v = self.name(shape)
            self.line(f"{v} = np.empty({shape}, order='{order}'); {v}.fill({number})")
            return
        elif kind == 5:
            shape = self.shapes[a]
            how, e = f"np.empty_like({a})", self.expression(shape)
            v = self.name(shape)
            self.line(f"{v} = {how}; {v}[...] = {e}")
            return
        else:
            shape = self.shapes[a]
            ways = [
                f"{a}.copy()",
                f"np.array({a})",
                f"np.copy({a}, order='F')",
                f"np.zeros_like({a})",
                f"np.full_like({a}, {self.number()})",
                f"{a}.copy('K')",
            ]
            how = self.pick(ways)
        self.line(f"{self.name(shape)} = {how}")

    def compute(self):
        if self.below(3) == 0:
            a = self.array()
            text = self.pick(NUMBERS).format(a=a, s=self.number(), t=self.number())
            name = f"s{self.count()}"
            self.line(f"{name} = {text}")
            self.numbers.append(name)
            return
        shape = self.shapes[self.array()]
        text = self.expression(shape)
        if len(shape) == 2 and self.below(4) == 0:
            a = self.array(shape)
            text = self.pick((f"{a} @ {a}.T", f"np.einsum('ij,ik->jk', {a}, {a})",
                              f"np.concatenate([{a}, {text}])", f"np.stack([{a}[0], {a}[-1]], 1)",
                              f"np.outer({a}[0], {a}[:, 0])"))  # fmt: skip
        self.derived(text)

    def derived(self, text, writable=True):
        """A new array given by an expression, whose shape comes out of the expression itself."""
        zeros = {a: np.zeros(s) for a, s in self.shapes.items()}
        zeros.update(dict.fromkeys(self.numbers, 0.5), np=np)
        for a in self.fixed:
            zeros[a].flags.writeable = False
        found = eval(text, zeros)
        shape = np.shape(found)
        if not isinstance(found, np.ndarray):  # what NumPy computes of an array without dimensions
            self.numbers.append(f"s{self.count()}")
            self.line(f"{self.numbers[-1]} = {text}")
            return
        if not 0 < math.prod(shape) <= LARGEST or len(shape) > 4:
            return
        v = self.name(shape)
        # An expression may be the name of an array: then it is that array.
        self.line(f"{v} = {text}")
        if not (writable and found.flags.writeable):
            self.fixed.add(v)

    def view(self):
        a = self.array()
        shape = self.shapes[a]
        n = math.prod(shape)
        ways = [f"{a}.reshape(-1)", f"{a}.ravel()", f"np.ravel({a})", f"{a}.reshape(1, {n})",
                f"np.asarray({a})", f"{a}.T", f"{a}.view()", f"np.atleast_2d({a})",
                f"{a}[..., None]", f"np.squeeze({a})"]  # fmt: skip
        if n % 2 == 0:
            ways += [f"{a}.reshape({n // 2}, 2)", f"np.reshape({a}, (2, {n // 2}), order='F')"]
        if len(shape) > 1:
            ways += [f"np.rot90({a})", f"np.fliplr({a})", f"np.matrix_transpose({a})"]
            ways += [f"{a}.swapaxes(0, 1)", f"np.moveaxis({a}, 0, -1)", f"{a}.transpose()"]
        if shape:
            ways += [f"np.flip({a})", f"np.atleast_3d({a})", f"np.expand_dims({a}, 0)"]
            ways += [f"{a}[{self.basic(shape)}]"] * 8
        if n % 2 == 0 and shape[0] % 2 == 0 and self.below(8) == 0:
            half = (shape[0] // 2, *shape[1:])
            parts = [self.name(half), self.name(half)]
            self.line(f"{', '.join(parts)} = np.split({a}, 2)")
            self.fixed.update(parts if a in self.fixed else ())
        elif len(shape) > 1 and self.below(6) == 0:
            self.derived(f"{a}.diagonal()")
        elif shape and self.below(8) == 0:
            self.derived(f"np.broadcast_to({a}, {(2, *shape)})")
        elif shape and shape[-1] > 1 and self.below(8) == 0:
            self.derived(f"np.lib.stride_tricks.sliding_window_view({a}, 2, -1)")
        elif shape and self.below(8) == 0:
            self.derived(f"{a}[{self.advanced(shape)}]")
        else:
            text = self.pick(ways)
            # What is fixed stays so in its views, also where NumPy would have copied.
            self.derived(text, writable=a not in self.fixed)

    def write(self):
        a = self.target()
        if self.below(4) == 0:  # into a view that has no name, or a copy
            seen = self.pick((".T", "[::-1]", ".reshape(-1)", ".ravel()", "[..., None]"))
        else:
            seen = ""
        shape = eval(f"a{seen}", {"a": np.zeros(self.shapes[a])}).shape
        at = self.index(shape)
        a += seen
        part = np.zeros(shape)[eval(f"np.s_[{at}]", {"np": np})].shape
        op = self.pick(("=", "=", "=", "+=", "-=", "*=", "/="))
        if op == "/=":
            what = f"(2.0 + {self.number()} ** 2)"
        else:
            what = self.number() if self.below(3) == 0 else self.expression(part)
        if part == (2,) and op != "/=" and self.below(2):
            what = f"[{self.number()}, {self.number()}]"
        self.line(f"{a}[{at}] {op} {what}")

    def write_element(self):
        a = self.target()
        op = self.pick(("=", "=", "+=", "-=", "*="))
        self.line(f"{a}[{self.position(self.shapes[a])}] {op} {self.number()}")

    def write_where(self):
        a = self.target()
        b = self.array(self.shapes[a])
        op = self.pick(("=", "+=", "*="))
        self.line(f"{a}[{b} > {self.pick(('0.1', '0.0', '-0.4'))}] {op} {self.number()}")

    def write_all(self):
        a = self.target(0)
        e = self.expression(self.shapes[a])
        kind = self.below(4)
        if kind == 0:
            op = self.pick(("**= 2", "/= 1.5", f"*= {self.number()}"))
            self.line(f"{a} {op}")
        elif kind == 1:
            f = self.pick(("add", "subtract", "multiply"))
            where = self.pick(("", f", where={self.array(self.shapes[a])} > 0.1"))
            self.line(f"np.{f}({e}, {self.expression(self.shapes[a])}, out={a}{where})")
        elif kind == 2:
            self.line(f"np.sin({e}, out={a})" if e[0] != "(" else f"np.negative({e}, out={a})")
        else:
            self.line(f"{a} {self.pick(('+=', '-=', '*='))} {e}")

    def write_by_function(self):
        a = self.target()
        shape = self.shapes[a]
        n = math.prod(shape)
        s, b = self.number(), self.array(shape)
        flat = [self.below(2 * n) - n for _ in range(1 + self.below(4))]
        rows = [self.below(2 * shape[0]) - shape[0] for _ in range(1 + self.below(4))]
        e = self.expression((len(rows), *shape[1:]))
        put = np.argsort(np.arange(n).reshape(shape) % 2, axis=0)[:1].tolist()
        ways = [
            f"np.add.at({a}, {rows}, {e})",
            f"np.subtract.at({a}, {rows}, {s})",
            f"np.copyto({a}, {b}, where={b} > 0.1)",
            f"np.copyto({a}, {self.expression(shape)})",
            f"np.put({a}, {flat}, {self.expression((len(flat),))})",
            f"{a}.put({flat}, {s})",
            f"{a}.fill({s})",
            f"{a}.sort({len(shape) - 1}, kind='stable')",
            f"{a}.sort(0, kind='stable')",
            f"np.put_along_axis({a}, np.array({put}), {s}, 0)",
            f"np.putmask({a}, {b} > 0.1, {b})",
            f"np.place({a}, {b} > 0.1, {self.expression((2,))})",
        ]
        if len(shape) == 2:
            ways.append(f"np.fill_diagonal({a}, {s})")
            ways.append(f"np.sum({b}, axis=0, out={a}[-1])")
            ways.append(f"np.matmul({b}, {b}[0], out={a}[:, 0])")
        self.line(self.pick(ways))

    def write_rows(self):
        a = self.target()
        n = self.shapes[a][0]
        i, j = self.below(n), self.below(n)
        ways = [
            f"{a}[[{i}, {j}]] = {a}[[{j}, {i}]]",
            f"{a}[{i}], {a}[{j}] = {a}[{j}], {a}[{i}]",
            f"{a}[1:] += {a}[:-1]",
            f"{a}[:-1] *= {a}[1:]",
            f"{a}[...] = {a}[::-1]",
            f"{a}[1:] = {a}[:-1]",
        ]
        if len(self.shapes[a]) > 1:
            ways += [f"for row in {a}: row *= {self.number()}",
                     f"for k in range({n}): {a}[k] -= {self.number()}"]  # fmt: skip
        else:
            ways += [f"for k in range(1, {n}): {a}[k] = {a}[k] * {a}[k - 1] + {self.number()}"]
        self.line(self.pick(ways))

    def make_or_write_complex(self):
        """Complex arrays: what is real in them, or imaginary, is an array among the others."""
        if not self.complex or self.below(4) == 0:
            shape = self.pick([(3,), (2, 3), (4,)])
            e = self.expression(shape)
            name = f"w{self.count()}"
            self.complex[name] = shape
            order = self.pick("CF")
            self.line(f"{name} = np.zeros({shape}, complex, order='{order}'); {name}.real = {e}")
            return
        w = self.pick(list(self.complex))
        shape = self.complex[w]
        e, s = self.expression(shape), self.number()
        self.line(
            self.pick(
                (
                    f"{w}.imag = {e}",
                    f"{w}.imag[...] = {s}",
                    f"{w}.real += {e}",
                    f"{w}.imag[::-1] -= {s}",
                    f"{w}[...] = {e}",
                    f"{w}[-1] = {s} * {w}[0]",
                    f"{w} += {e}",
                    f"{w}[[0, 1, 0]] = {w}[[1, 0, 0]] * 0.5j",
                    f"{w} -= {w}[::-1].conj() * {s}",
                    f"{w}[...] = {w} * (0.4 - 0.8j)",
                    f"{w}[1:] = {w}[1:] * {w}[:-1]",
                )
            )
        )

    def part_of_complex(self):
        if not self.complex:
            return
        w = self.pick(list(self.complex))
        what = self.pick(("{w}.real", "{w}.imag", "{w}.T.imag", "{w}[::-1].real",
                          "({w} * {w}.conj()).real", "np.imag({w} * {w})", "np.real({w})",
                          "{w}.copy().imag"))  # fmt: skip
        text = what.format(w=w)
        shape = eval(text, {w: np.zeros(self.complex[w], complex), "np": np}).shape
        self.line(f"{self.name(shape)} = {text}")

    STATEMENTS = (make, compute, compute, compute, view, view, view, write, write, write,
                  write_element, write_where, write_all, write_by_function, write_rows,
                  make_or_write_complex, part_of_complex)  # fmt: skip

    def result(self):
        """A number that every element of every array goes into, each with a weight of its own."""
        terms = [f"{0.3 + 0.1 * k:.1f} * {s}" for k, s in enumerate(self.numbers)]
        for a, shape in self.shapes.items():
            n = math.prod(shape)
            terms.append(f"np.sum(np.sin({a}) * (np.arange({n}).reshape({shape}) + 1.0) / {n})")
        everything = ", ".join((*self.shapes, *self.numbers))
        return f"return {' + '.join(terms)}, [{everything}]"


@st.composite
def programs(draw, most=14):
    """The text of a program of up to so many statements."""
    writer = Writer(draw)
    for _ in range(draw(st.integers(3, most))):
        writer.pick(Writer.STATEMENTS)(writer)
    lines = [*writer.lines, writer.result()]
    return "\n    ".join(["def f(x, y, z):", "c = C", *lines]) + "\n"
