"""What holds of every rule, over drawn shapes, layouts, axes, indices and dtypes.

The value is NumPy's bit for bit; the reverse and the forward sweep are each other's transpose; the
pullback is linear; and the gradient of a sum counts how often each element was used.
"""

import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tapead
from tapead import sweeps

drawn = settings(
    derandomize=True, deadline=None, max_examples=120, suppress_health_check=list(HealthCheck)
)
DTYPES = (np.float64, np.float32, np.complex128)
REAL = (np.float64, np.float32)

# How a function is given its operand: as it is, or as a view that is not in C order.
LAYOUTS = {
    "plain": lambda x: x,
    "reversed": lambda x: x[::-1] if np.ndim(x) else x,
    "transposed": lambda x: np.swapaxes(x.copy("F"), 0, -1) if np.ndim(x) else x,
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if np.ndim(x) else x,
    "part": lambda x: np.stack([x, x], axis=-1)[..., 1],
}
layouts = st.sampled_from(sorted(LAYOUTS))
shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
seeds = st.integers(0, 5)


def numbers(seed, shape, dtype, lo=-2.0, hi=2.0):
    """An array of numbers between lo and hi; complex ones with imaginary parts like that."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(lo, hi, shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.uniform(0.1, 1.0, shape)
    return np.asarray(x, dtype)


def same(x, y):
    x, y = np.asarray(x), np.asarray(y)
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()


def wide(*arrays):
    """Whether all arrays have double precision."""
    return all(np.asarray(x).dtype.itemsize >= 8 for x in arrays)


def pullback(f, inputs, weights):
    """The adjoints of all inputs for that adjoint of the result, and the result."""

    def loss(*xs):
        y = f(*xs)
        return np.sum(np.real(weights * y)), tapead.value(y)

    return tapead.grad(loss, argnums=tuple(range(len(inputs))), has_aux=True)(*inputs)


def assert_rules_agree(f, *inputs):
    """All that is said above, of f at these inputs."""
    before = [x.copy() for x in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = np.asarray(f(*inputs))
    one, two = (numbers(k, plain.shape, plain.dtype) for k in (101, 102))
    adjoints, value = pullback(f, inputs, one)
    assert same(value, plain)
    for g, x, old in zip(adjoints, inputs, before):
        assert (np.asarray(g).dtype, np.shape(g)) == (x.dtype, x.shape)
        assert same(x, old)
    directions = [numbers(103 + k, x.shape, x.dtype) for k, x in enumerate(inputs)]
    terms = [np.real(np.asarray(g) * d).ravel() for g, d in zip(adjoints, directions)]
    size = max(1.0, sum(float(np.sum(np.abs(t))) for t in terms))
    tolerance = (1e-10 if wide(plain, *inputs) else 2e-4) * size
    ours = forward(lambda *xs: np.sum(np.real(one * f(*xs))), inputs, directions)
    assert abs(ours - sum(float(np.sum(t)) for t in terms)) <= tolerance
    others, _ = pullback(f, inputs, two)
    both, _ = pullback(f, inputs, one + 2 * two)
    for g, h, sum_of_both in zip(adjoints, others, both):
        g, h = np.asarray(g, complex), np.asarray(h, complex)
        assert np.all(np.abs(g + 2 * h - sum_of_both) <= tolerance * (1 + np.abs(g) + np.abs(h)))


def forward(f, inputs, directions):
    """The derivative along a direction by a forward sweep over the tape."""
    tape = tapead.record(f, *inputs, lines=False)
    if tape.outputs[0] is None:
        return 0.0
    found = sweeps.push(tape._tape, 0, 0, len(inputs), len(tape), directions, tape.outputs)[0]
    return float(np.real(np.sum(found)))


# ------------------------------------------------------------------------------- elementwise ---

# Functions of one operand with the bounds of what they are tried on, and whether also complex.
UNARY = [
    ("sin", -3, 3, True), ("cos", -3, 3, True), ("tan", -1, 1, True), ("sinh", -2, 2, True),
    ("cosh", -2, 2, True), ("tanh", -2, 2, True), ("exp", -2, 2, True), ("exp2", -2, 2, True),
    ("expm1", -2, 2, True), ("log", 0.1, 3, True), ("log2", 0.1, 3, True), ("log10", 0.1, 3, True),
    ("log1p", -0.5, 3, True), ("sqrt", 0.1, 3, True), ("square", -2, 2, True),
    ("reciprocal", 0.3, 2, True), ("negative", -2, 2, True), ("positive", -2, 2, True),
    ("arcsin", -0.9, 0.9, True), ("arccos", -0.9, 0.9, True), ("arctan", -2, 2, True),
    ("arcsinh", -2, 2, True), ("arccosh", 1.1, 3, True), ("arctanh", -0.9, 0.9, True),
    ("conjugate", -2, 2, True), ("absolute", -2, 2, True), ("fabs", -2, 2, False),
    ("cbrt", 0.1, 2, False), ("degrees", -2, 2, False), ("radians", -2, 2, False),
    ("sinc", -2, 2, True), ("real", -2, 2, True), ("imag", -2, 2, True), ("angle", 0.3, 2, True),
    ("i0", -2, 2, False), ("nan_to_num", -2, 2, True), ("floor", -2, 2, False),
    ("sign", -2, 2, False),
]  # fmt: skip
BINARY = [
    ("add", -2, 2, True), ("subtract", -2, 2, True), ("multiply", -2, 2, True),
    ("true_divide", 0.3, 2, True), ("power", 0.3, 2, True), ("float_power", 0.3, 2, True),
    ("arctan2", 0.3, 2, False), ("hypot", 0.3, 2, False), ("maximum", -2, 2, False),
    ("minimum", -2, 2, False), ("fmax", -2, 2, False), ("fmin", -2, 2, False),
    ("logaddexp", -2, 2, False), ("logaddexp2", -2, 2, False), ("remainder", 0.3, 2, False),
    ("fmod", 0.3, 2, False), ("copysign", -2, 2, False), ("heaviside", -2, 2, False),
    ("floor_divide", 0.3, 2, False),
]  # fmt: skip


def named(rows):
    return [pytest.param(*row, id=row[0]) for row in rows]


@pytest.mark.parametrize(("name", "lo", "hi", "analytic"), named(UNARY))
@settings(drawn, max_examples=10)
@given(data=st.data(), shape=shapes, layout=layouts, seed=seeds)
def test_functions_of_one_operand(name, lo, hi, analytic, data, shape, layout, seed):
    function = getattr(np, name)
    dtype = data.draw(st.sampled_from(DTYPES if analytic else REAL))
    x = numbers(seed, shape, dtype, lo, hi)
    assert_rules_agree(lambda x: function(LAYOUTS[layout](x)), x)


@pytest.mark.parametrize(("name", "lo", "hi", "analytic"), named(BINARY))
@settings(drawn, max_examples=15)
@given(
    data=st.data(),
    both=hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=3),
    layout=layouts,
    seed=seeds,
)
def test_functions_of_two_operands_that_broadcast(name, lo, hi, analytic, data, both, layout, seed):
    function = getattr(np, name)
    kinds = st.sampled_from(DTYPES if analytic else REAL)
    x, y = (numbers(seed + k, s, data.draw(kinds), lo, hi) for k, s in enumerate(both.input_shapes))
    assert_rules_agree(lambda x, y: function(LAYOUTS[layout](x), y), x, y)
    assert_rules_agree(lambda x: function(x, y), x)


@drawn
@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=4, max_dims=4),
    dtype=st.sampled_from(REAL),
    seed=seeds,
)
def test_the_gradient_of_a_sum_counts_how_often_an_element_was_used(shapes, dtype, seed):
    x, y, z = (numbers(seed, shape, dtype) for shape in shapes.input_shapes)
    count = int(np.prod(shapes.result_shape))
    gradient = tapead.grad(lambda x, y, z: np.sum(x - y + z), (0, 1, 2))(x, y, z)
    of_x = tapead.grad(lambda x: np.sum(np.broadcast_to(x, shapes.result_shape)))(x)
    for g, a, sign in zip((*gradient, of_x), (x, y, z, x), (1, -1, 1, 1)):
        assert (np.asarray(g).dtype, np.shape(g)) == (dtype, a.shape)
        assert np.all(g == sign * count / max(a.size, 1))


@drawn
@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, min_side=0, max_side=3, max_dims=3),
    dtype=st.sampled_from(DTYPES),
    seed=seeds,
)
def test_where_gives_each_element_to_the_side_that_was_chosen(shapes, dtype, seed):
    mask, x, y = (numbers(seed + k, s, dtype) for k, s in enumerate(shapes.input_shapes))
    mask = mask.real > 0
    assert_rules_agree(lambda x, y: np.where(mask, x, y), x, y)
    of_x, of_y = tapead.grad(lambda x, y: np.sum(np.real(np.where(mask, x, y))), (0, 1))(x, y)
    chosen = np.count_nonzero(np.broadcast_to(mask, shapes.result_shape))
    assert np.sum(of_x) == chosen
    assert np.sum(of_y) == int(np.prod(shapes.result_shape)) - chosen


# -------------------------------------------------------------------------------- reductions ---

# Whether also complex, and whether NumPy reduces nothing.
REDUCTIONS = [
    ("sum", True, True), ("prod", True, True), ("mean", True, False), ("std", True, False),
    ("var", True, False), ("max", False, False), ("min", False, False), ("ptp", False, False),
    ("nansum", True, True), ("nanmean", True, False), ("nanmax", False, False),
    ("nanvar", True, False), ("median", False, False), ("linalg.norm", True, True),
    ("average", True, False), ("nanprod", True, True),
]  # fmt: skip


def called(name):
    """A function of NumPy's by its dotted name, looked up when it is called."""

    def call(*args, **options):
        f = np
        for part in name.split("."):
            f = getattr(f, part)
        return f(*args, **options)

    return call


@pytest.mark.parametrize(("name", "analytic", "of_nothing"), named(REDUCTIONS))
@settings(drawn, max_examples=20)
@given(data=st.data(), layout=layouts, seed=seeds)
def test_reductions_along_any_axes(name, analytic, of_nothing, data, layout, seed):
    least = 0 if of_nothing else 1
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=least, max_side=3))
    most = min(len(shape), 2)
    axes = hnp.valid_tuple_axes(len(shape), min_size=1, max_size=most) if shape else st.none()
    axis = data.draw(st.one_of(st.none(), axes))
    if name == "linalg.norm":  # of a vector or a matrix; of more axes it is refused
        axis = axis if axis is not None or len(shape) < 3 else (0, 1)
    keepdims = data.draw(st.booleans())
    dtype = data.draw(st.sampled_from(DTYPES if analytic else REAL))
    x = numbers(seed, shape, dtype)
    function = called(name)
    assert_rules_agree(lambda x: function(LAYOUTS[layout](x), axis=axis, keepdims=keepdims), x)


SCANS = [("cumsum", True), ("cumprod", True), ("nancumsum", True), ("sort", False), ("diff", True),
         ("flip", True), ("add.accumulate", True)]  # fmt: skip


@pytest.mark.parametrize(("name", "analytic"), named(SCANS))
@settings(drawn, max_examples=20)
@given(data=st.data(), layout=layouts, seed=seeds)
def test_functions_along_an_axis(name, analytic, data, layout, seed):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    dtype = data.draw(st.sampled_from(DTYPES if analytic else REAL))
    x = numbers(seed, shape, dtype)
    function = called(name)
    assert_rules_agree(lambda x: function(LAYOUTS[layout](x), axis=axis), x)


@drawn
@given(data=st.data(), shape=hnp.array_shapes(max_dims=3, max_side=4))
def test_ties_of_a_maximum_share_it_equally(data, shape):
    x = data.draw(hnp.arrays(float, shape, elements=st.sampled_from([-1.0, 0.0, 2.0])))
    g = tapead.grad(lambda x: np.max(x))(x)
    best = x == x.max()
    assert same(g, np.where(best, 1.0 / np.count_nonzero(best), 0.0))
    assert_rules_agree(lambda x: np.max(x, axis=0), x)


# ---------------------------------------------------------------------------------- indexing ---


def indices(shape):
    """Indices of every kind: views, masks, and arrays of whole numbers."""
    kinds = [hnp.basic_indices(shape, allow_newaxis=True)]
    kinds.append(hnp.arrays(bool, shape))
    if shape and min(shape) > 0:
        kinds.append(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_side=4)))
        kinds.append(hnp.arrays(int, 3, elements=st.integers(-shape[0], shape[0] - 1)))
        kinds.append(hnp.arrays(bool, shape[0]))
    return st.one_of(kinds)


@settings(drawn, max_examples=300)
@given(data=st.data(), shape=shapes, layout=layouts, seed=seeds)
def test_reads_count_what_they_read(data, shape, layout, seed):
    index = data.draw(indices(shape))
    x = numbers(seed, shape, data.draw(st.sampled_from(DTYPES)))
    assert_rules_agree(lambda x: x[index], x)
    g = tapead.grad(lambda x: np.sum(np.real(x[index])))(x)
    counts = np.zeros(shape, x.dtype)
    np.add.at(counts, index, 1)
    assert same(g, counts)
    shape = np.shape(LAYOUTS[layout](x))
    index = data.draw(indices(shape))
    assert_rules_agree(lambda x: LAYOUTS[layout](x)[index], x)


@settings(drawn, max_examples=300)
@given(data=st.data(), shape=shapes, seed=seeds)
def test_writes_take_the_derivative_of_what_was_there(data, shape, seed):
    index = data.draw(indices(shape))
    x = numbers(seed, shape, data.draw(st.sampled_from(DTYPES)))
    # As many as there are places, or one for all; of places written twice the last one counts.
    part = x[index].shape if data.draw(st.booleans()) else ()
    new = numbers(seed + 1, part, x.dtype)
    sign = data.draw(st.sampled_from("=+-*@"))

    def written(x, new):
        a = x.copy()
        if sign == "=":
            a[index] = new
        elif sign == "+":
            a[index] += new
        elif sign == "-":
            a[index] -= new
        elif sign == "*":
            a[index] *= new
        else:
            np.add.at(a, index, new)
        return a

    assert_rules_agree(written, x, new)
    if sign == "=":
        of_x, of_new = tapead.grad(lambda x, new: np.sum(np.real(written(x, new))), (0, 1))(x, new)
        untouched = np.ones(shape, x.dtype)
        untouched[index] = 0
        assert same(of_x, untouched)
        assert np.sum(of_new) == x.size - np.count_nonzero(untouched)


# ---------------------------------------------------------------------------------- products ---

SIGNATURES = {
    "matmul": "(n?,k),(k,m?)->(n?,m?)",
    "vecdot": "(k),(k)->()",
    "matvec": "(n,k),(k)->(n)",
    "vecmat": "(k),(k,n)->(n)",
}


@pytest.mark.parametrize("name", [f for f in SIGNATURES if hasattr(np, f)])
@settings(drawn, max_examples=60)
@given(data=st.data(), layout=layouts, seed=seeds)
def test_products_of_stacks_of_matrices(name, data, layout, seed):
    drawn_shapes = hnp.mutually_broadcastable_shapes(
        signature=SIGNATURES[name], min_side=0, max_side=3, max_dims=2
    )
    both = data.draw(drawn_shapes).input_shapes
    x, y = (numbers(seed + k, s, data.draw(st.sampled_from(DTYPES))) for k, s in enumerate(both))
    product = called(name)
    assert_rules_agree(product, x, y)
    if layout in ("reversed", "part"):  # which leave the shape as it is
        assert_rules_agree(lambda x, y: product(LAYOUTS[layout](x), LAYOUTS[layout](y)), x, y)


@drawn
@given(data=st.data(), first=shapes, second=shapes, seed=seeds)
def test_products_of_all_with_all(data, first, second, seed):
    x, y = (numbers(seed, s, data.draw(st.sampled_from(DTYPES))) for s in (first, second))
    assert_rules_agree(lambda x, y: np.outer(x, y), x, y)
    assert_rules_agree(lambda x, y: np.multiply.outer(x, y), x, y)
    assert_rules_agree(lambda x, y: np.tensordot(x, y, axes=0), x, y)
    assert_rules_agree(lambda x, y: np.kron(x, y), x, y)


@drawn
@given(data=st.data(), left=shapes, right=shapes, k=st.integers(0, 3), seed=seeds)
def test_products_along_one_axis(data, left, right, k, seed):
    left, right = left[:2], right[:2]
    x, y = (numbers(seed, (*s, k), data.draw(st.sampled_from(DTYPES))) for s in (left, right))
    assert_rules_agree(lambda x, y: np.inner(x, y), x, y)
    assert_rules_agree(lambda x, y: np.dot(x, np.moveaxis(y, -1, max(y.ndim - 2, 0))), x, y)
    assert_rules_agree(lambda x, y: np.tensordot(x, y, (-1, -1)), x, y)
    labels = ("".join("ab"[: len(left)]) + "k", "".join("cd"[: len(right)]) + "k")
    assert_rules_agree(lambda x, y: np.einsum(",".join(labels), x, y), x, y)


# ------------------------------------------------------------------------------------ shapes ---


@drawn
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3),
    seed=seeds,
)
def test_joining_and_taking_apart(data, shape, seed):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    kinds = [data.draw(st.sampled_from(DTYPES)) for _ in range(2)]
    longer = list(shape)
    longer[axis] += data.draw(st.integers(0, 2))
    x, y = numbers(seed, shape, kinds[0]), numbers(seed + 1, shape, kinds[1])
    z = numbers(seed + 2, longer, kinds[1])
    assert_rules_agree(lambda x, z: np.concatenate([x, z, x], axis=axis), x, z)
    assert_rules_agree(lambda x, y: np.stack([x, y, y], axis=axis), x, y)
    assert_rules_agree(lambda z: np.concatenate(np.array_split(z, 2, axis)[::-1], axis), z)


@drawn
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3),
    layout=layouts,
    seed=seeds,
)
def test_moving_and_repeating(data, shape, layout, seed):
    x = numbers(seed, shape, data.draw(st.sampled_from(DTYPES)))
    n = len(np.shape(LAYOUTS[layout](x)))
    axis = data.draw(st.integers(-n, n - 1))
    axes = data.draw(st.permutations(range(n)))
    times = data.draw(st.integers(0, 3))
    width = data.draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=n, max_size=n)
    )
    order = data.draw(st.sampled_from("CFA"))
    ways = (
        lambda a: np.transpose(a, axes),
        lambda a: np.moveaxis(a, axis, 0),
        lambda a: np.reshape(a, -1, order=order),
        lambda a: np.ravel(a, order=order),
        lambda a: np.roll(a, times, axis),
        lambda a: np.repeat(a, times, axis),
        lambda a: np.tile(a, (2, times)),
        lambda a: np.pad(a, width),
        lambda a: np.expand_dims(a, axis),
        lambda a: np.diagonal(a, axis1=0, axis2=-1) if a.ndim > 1 else a,
        lambda a: np.tril(a) if a.ndim > 1 else a,
    )
    way = data.draw(st.sampled_from(ways))
    assert_rules_agree(lambda x: way(LAYOUTS[layout](x)), x)


@drawn
@given(
    data=st.data(),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    seed=seeds,
)
def test_taking_along_an_axis(data, shape, seed):
    x = numbers(seed, shape, data.draw(st.sampled_from(DTYPES)))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    n = shape[axis]
    where = data.draw(
        hnp.arrays(int, data.draw(hnp.array_shapes(max_dims=2)), elements=st.integers(-n, n - 1))
    )
    along = list(shape)
    along[axis] = 2
    positions = data.draw(hnp.arrays(int, along, elements=st.integers(-n, n - 1)))
    assert_rules_agree(lambda x: np.take(x, where, axis), x)
    assert_rules_agree(lambda x: np.take_along_axis(x, positions, axis), x)
