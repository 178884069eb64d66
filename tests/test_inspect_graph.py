"""The computational graph: its nodes and edges against the sweeps, dataflow of arrays."""

import math

import numpy as np
import pytest

import tapead


def olah(a, b):
    c = a + b
    d = b + 1
    e = c * d
    return e


def pendulum(angle, damping, steps=20):
    speed, h = 0.0, 0.01
    for _ in range(steps):
        speed = speed - h * (math.sin(angle) + damping * speed)
        angle = angle + h * speed
    return angle * angle


def of_numbers(x, w):
    y = [math.exp(-w[0] * x), math.sin(x) / w[1], 3.0]
    y[2] = math.hypot(y[0], y[1]) ** 2.5 - abs(x)
    return math.floor(w[0]) * y[2] + y[0] ** x


def in_array(x, w):
    """Numbers kept in an array, one by one."""
    u = np.zeros(5)
    u[0] = x
    for k in range(1, 5):
        u[k] = w[0] * u[k - 1] + math.sin(u[k // 2])
        u[k - 1] = u[k] * w[1]
    return u[3] * u[4] + u[0]


NUMBERS = [
    (olah, (2.0, 1.0)),
    (pendulum, (1.0, 0.1)),
    (of_numbers, (0.5, [1.5, 3.0])),
    (in_array, (0.7, [1.5, 0.8])),
]


def edges_of(drawing):
    return [(edge.source, edge.target, edge.partial) for edge in drawing.edges]


# ------------------------------------------------------------------------- nodes and edges ---


def test_nodes_have_names_values_and_derivatives():
    drawing = tapead.record(olah, 2.0, 1.0).draw(sweep="reverse")
    assert [(n.title, n.value, n.derivative) for n in drawing.nodes] == [
        ("a", 2.0, 2.0), ("b", 1.0, 5.0), ("c = a + b", 3.0, 2.0), ("d = b + 1", 2.0, 3.0),
        ("e = c * d", 6.0, 1.0),
    ]  # fmt: skip
    assert edges_of(drawing) == [(0, 2, 1.0), (1, 2, 1.0), (1, 3, 1.0), (2, 4, 2.0), (3, 4, 3.0)]
    assert [n.outputs for n in drawing.nodes] == [(), (), (), (), (0,)]
    assert [n.kind for n in drawing.nodes] == ["input"] * 2 + ["operation"] * 3
    tangents = tapead.record(olah, 2.0, 1.0).draw(sweep="forward", wrt="b").nodes
    assert [n.derivative for n in tangents] == [0.0, 1.0, 1.0, 1.0, 5.0]


@pytest.mark.parametrize(("f", "args"), NUMBERS)
def test_every_adjoint_is_the_sum_over_the_edges_that_leave(f, args):
    tape = tapead.record(f, *args)
    drawing = tape.draw(sweep="reverse")
    adjoint = [0.0] * len(drawing.nodes)
    adjoint[-1] = 1.0
    for edge in reversed(drawing.edges):
        if edge.partial is not None:
            adjoint[edge.source] += edge.partial * adjoint[edge.target]
    assert [n.derivative for n in drawing.nodes] == pytest.approx(adjoint, rel=1e-12, abs=1e-300)
    swept = tape.adjoints()
    known = ~np.isnan(swept)
    assert np.array_equal(np.array([n.derivative for n in drawing.nodes])[known], swept[known])
    gradient = tapead.grad(f, argnums=(0, 1))(*args)
    assert adjoint[: len(tape.inputs)] == pytest.approx(np.hstack(gradient), rel=1e-12)


@pytest.mark.parametrize(("f", "args"), NUMBERS)
def test_every_tangent_is_the_sum_over_the_edges_that_arrive(f, args):
    tape = tapead.record(f, *args)
    for name, row in tape.inputs.items():
        drawing = tape.draw(sweep="forward", wrt=name)
        tangent = [0.0] * len(drawing.nodes)
        tangent[row] = 1.0
        for edge in drawing.edges:
            if edge.partial is not None:
                tangent[edge.target] += edge.partial * tangent[edge.source]
        found = [n.derivative for n in drawing.nodes]
        assert found == pytest.approx(tangent, rel=1e-12, abs=1e-300)
        assert found[-1] == pytest.approx(tape.gradient(name), rel=1e-12)


def test_partials_are_those_of_the_rows():
    tape = tapead.record(of_numbers, 0.5, [1.5, 3.0])
    found: dict[int, list[float]] = {}
    for edge in tape.draw().edges:
        found.setdefault(edge.target, []).append(edge.partial)
    for k in range(len(tape)):
        row = tape.row(k)
        partials = [p for o, p in zip(row.operands, row.partials, strict=True) if type(o) is int]
        assert sorted(found.get(k, [])) == sorted(partials)


def test_derivatives_are_of_the_output_that_is_asked_for():
    tape = tapead.record(lambda x: [x * x, math.exp(x), 4.0], 1.5)
    for output in (0, 1, 2, -2):
        nodes = tape.draw(sweep="reverse", output=output).nodes
        assert [n.derivative for n in nodes] == tape.adjoints(output).tolist()
    assert [n.outputs for n in nodes] == [(), (0,), (1,)]


def test_a_number_read_twice_has_two_edges():
    drawing = tapead.record(lambda x: x * x, 3.0).draw()
    assert edges_of(drawing) == [(0, 1, 3.0), (0, 1, 3.0)]


def test_constants_stand_in_the_title():
    nodes = tapead.record(lambda x: 2.0 / (1.0 - x) ** 3.0, 0.5).draw().nodes
    assert [n.title for n in nodes] == ["x", "v1 = 1 - x", "v2 = v1 ** 3", "v3 = 2 / v2"]


# --------------------------------------------------------------------------------- names ---


def test_a_variable_that_is_assigned_again_is_numbered():
    def f(x, w):
        for _ in range(3):
            x = w * x
        y = math.sin(x)
        return y + w

    titles = [n.title for n in tapead.record(f, 1.0, 2.0).draw().nodes]
    assert titles == ["x", "w", "x₁ = w * x", "x₂ = w * x₁", "x₃ = w * x₂", "y = sin(x₃)",
                      "v6 = y + w"]  # fmt: skip


def test_rows_are_named_only_where_their_line_leaves_no_doubt():
    def inner(x):
        return x * 2.0

    def f(x):
        a = inner(x * 3.0)  # the product of this line is no a
        b = (x * a) * a
        c = x * a; d = x + a  # fmt: skip  # noqa: E702
        e = inner(x)
        return b + c + d + e

    nodes = tapead.record(f, 1.0).draw().nodes
    assert all(n.name == "x" or n.name == f"v{n.row}" for n in nodes)


def test_without_source_lines_rows_have_numbers():
    nodes = tapead.record(olah, 2.0, 1.0, lines=False).draw().nodes
    assert nodes[4].title == "v4 = v2 * v3"
    assert nodes[4].place is None


# -------------------------------------------------------------------------------- arrays ---


def test_arrays_show_shape_and_dtype_and_their_edges_no_number():
    def f(x, w):
        y = x * w
        return np.sum(y)

    drawing = tapead.record(f, np.ones((2, 3)), 2.0).draw()
    assert [(n.kind, n.title, n.shape, n.dtype, n.value) for n in drawing.nodes] == [
        ("input", "x", (2, 3), "float64", None),
        ("input", "w", None, "", 2.0),
        ("array", "y = multiply(x, w)", (2, 3), "float64", None),
        ("operation", "v3 = sum(y)", None, "", 12.0),
    ]
    assert edges_of(drawing) == [(0, 2, None), (1, 2, None), (2, 3, None)]
    assert drawing.nodes[3].outputs == (0,)


def test_an_element_comes_from_whoever_wrote_it_last():
    def f(x, y):
        u = np.zeros(3)
        u[0] = x  # r2
        u[1] = y  # r3
        first = u[0] * 1.0  # r4, r5
        u[0] = y  # r6
        return first + u[0] + u[2]  # r7, r8, r9, r10

    drawing = tapead.record(f, 1.0, 2.0).draw()
    assert [n.title for n in drawing.nodes[4:8]] == [
        "v4 = v3[0]", "first = v4 * 1", "v6[0] = y", "v7 = v6[0]",
    ]  # fmt: skip
    assert edges_of(drawing) == [
        (0, 2, 1.0), (1, 3, 1.0), (2, 4, 1.0), (4, 5, 1.0), (1, 6, 1.0), (6, 7, 1.0),
        (5, 8, 1.0), (7, 8, 1.0), (8, 10, 1.0), (9, 10, 1.0),
    ]  # fmt: skip


def test_a_write_makes_a_new_version_of_its_array():
    def f(x, y):
        u = x * 2.0  # r2
        u[1:] = y  # r3, passes u[0] on
        u[0] = y  # r4, passes the rest on
        a = np.sum(u)  # r5
        u[:] = x  # r6, passes nothing on
        u += x  # r7
        return a + u[1]  # r8, r9

    drawing = tapead.record(f, np.ones(3), 2.0).draw()
    assert edges_of(drawing) == [
        (0, 2, None), (1, 3, None), (2, 3, None), (1, 4, 1.0), (3, 4, None), (4, 5, None),
        (0, 6, None), (0, 7, None), (6, 7, None), (7, 8, None), (5, 9, 1.0), (8, 9, 1.0),
    ]  # fmt: skip


def test_a_view_reads_and_writes_the_array_that_it_is_of():
    def f(x):
        u = x * 1.0  # r1
        v = u.reshape(2, 2).T
        v[0] *= x[:2]  # r2 multiply, r3 write
        return np.sum(u)  # r4

    assert edges_of(tapead.record(f, np.arange(4.0)).draw()) == [
        (0, 1, None), (0, 2, None), (1, 2, None), (1, 3, None), (2, 3, None), (3, 4, None),
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(3,), (2, 3), ()])
@pytest.mark.parametrize("order", ["C", "F"])
def test_elements_are_named_by_their_index(shape, order):
    index = tuple(n - 1 for n in shape)

    def f(x):
        return 2.0 * x[index]

    x = np.array(np.arange(6.0)[: math.prod(shape)].reshape(shape), order=order)
    title = tapead.record(f, x).draw().nodes[1].title
    assert title == "v1 = x[" + (", ".join(map(str, index)) or "()") + "]"


def test_whatever_has_an_adjoint_leads_to_the_output():
    def f(x, w):
        u = np.zeros((3, 3))
        u[0] = np.linalg.solve(w, x)
        u[1, 1:] += np.sort(x)[:2] * u[0, 0]
        np.add.at(u, ([0, 0], [1, 1]), x[2])
        values, vectors = np.linalg.eigh(u @ u.T)
        unused = np.exp(vectors)
        unused[0] = x
        _, log = np.linalg.slogdet(w)
        return np.max(values) + np.where(x > 0, np.sqrt(np.abs(x)), x).mean() + log

    tape = tapead.record(f, np.array([1.0, -2.0, 3.0]), np.eye(3) + 0.1)
    drawing = tape.draw(sweep="reverse")
    ancestors = {len(tape) - 1}
    for edge in reversed(drawing.edges):
        if edge.target in ancestors:
            ancestors.add(edge.source)
    adjoint = np.array([n.derivative for n in drawing.nodes])
    assert set(np.flatnonzero(adjoint).tolist()) <= ancestors
    assert next(n.row for n in drawing.nodes if "exp" in n.title) not in ancestors
    assert all(edge.source < edge.target for edge in drawing.edges)


def test_adjoints_and_tangents_of_arrays_are_norms():
    x, w = np.array([1.0, 2.0, 3.0]), 0.5

    def outer(y):
        y[0] = 3.0 * y[1]
        return np.sum(y * y)

    def f(x, w):
        return outer(np.exp(w * x))

    tape = tapead.record(f, x, w)
    nodes = tape.draw(sweep="reverse").nodes
    made = next(n for n in nodes if "exp" in n.title)
    gradient = tapead.grad(outer)(np.exp(w * x))
    assert made.derivative == pytest.approx(np.linalg.norm(gradient), rel=1e-12)
    assert nodes[0].derivative == pytest.approx(np.linalg.norm(tape.gradient("x")), rel=1e-12)
    assert nodes[1].derivative == pytest.approx(tape.gradient("w"), rel=1e-12)
    store = next(n for n in nodes if n.name.endswith("[0]"))
    assert store.derivative == pytest.approx(2.0 * 3.0 * math.exp(w * x[1]), rel=1e-12)

    nodes = tape.draw(sweep="forward", wrt="w").nodes
    assert nodes[made.row].derivative == pytest.approx(np.linalg.norm(x * np.exp(w * x)))
    assert nodes[store.row].derivative == pytest.approx(3.0 * x[1] * math.exp(w * x[1]))
    assert nodes[-1].derivative == pytest.approx(tape.gradient("w"), rel=1e-12)


def test_an_array_has_no_tangent_along_one_number():
    tape = tapead.record(lambda x, w: np.sum(x * w), np.ones(3), 2.0)
    with pytest.raises(TypeError, match=r"'x' is an array.*reverse"):
        tape.draw(sweep="forward", wrt="x")
    with pytest.raises(ValueError, match="array of shape"):
        tapead.record(lambda x: 2.0 * x, np.ones(3)).draw(sweep="reverse")


def test_rules_of_the_users_and_checkpoints_have_nodes():
    @tapead.custom_vjp
    def cube(x, n):
        return x**3, n

    cube.defvjp(lambda x, n: ((x**3, n), (x,)), lambda kept, g: (3.0 * kept[0] ** 2 * g[0], 0.0))

    @tapead.checkpoint
    def square(x):
        return x * x

    def f(x):
        return cube(square(x), 2)[0]

    drawing = tapead.record(f, 2.0).draw(sweep="reverse")
    assert drawing.nodes[0].derivative == pytest.approx(6.0 * 2.0**5)
    reached = {0}
    for edge in drawing.edges:
        if edge.source in reached:
            reached.add(edge.target)
    assert len(drawing.nodes) - 1 in reached


# ----------------------------------------------------------------------------- bad input ---


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fold": "lines"}, 'fold=\'lines\': "line", "function"'),
        ({"sweep": "back"}, 'sweep=\'back\': "reverse", "forward"'),
        ({"output": 0}, 'ask for sweep="reverse"'),
        ({"wrt": "a", "sweep": "reverse"}, 'ask for sweep="forward"'),
    ],
)
def test_options_that_say_nothing_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        tapead.record(olah, 2.0, 1.0).draw(**options)


def test_inputs_and_outputs_that_are_not_there_are_refused():
    tape = tapead.record(olah, 2.0, 1.0)
    with pytest.raises(IndexError, match="output 1 of a result of 1"):
        tape.draw(sweep="reverse", output=1)
    with pytest.raises(KeyError, match="no input is called 'z'; there are a, b"):
        tape.draw(sweep="forward", wrt="z")
