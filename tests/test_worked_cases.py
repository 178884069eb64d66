"""Cases whose numbers are known by hand."""

import math
import random

import pytest

import tapead

# ------------------------------------------------------------------ graphs of a few nodes ---


def e(a, b):
    c = a + b
    d = b + 1
    return c * d


def test_forward_mode_from_b_gives_its_derivative_of_every_node():
    tape = tapead.record(e, 2, 1)
    assert tape.operations == ["input", "input", "add", "add", "mul"]
    assert tape.values.tolist() == [2.0, 1.0, 3.0, 2.0, 6.0]
    assert tape.tangents(wrt="b").tolist() == [0.0, 1.0, 1.0, 1.0, 5.0]
    assert tape.tangents(wrt="a").tolist() == [1.0, 0.0, 1.0, 0.0, 2.0]


def test_one_reverse_sweep_gives_the_adjoint_of_every_node():
    tape = tapead.record(e, 2, 1)
    assert tape.adjoints().tolist() == [2.0, 5.0, 2.0, 3.0, 1.0]
    assert tapead.grad(e, argnums=(0, 1))(2, 1) == (2.0, 5.0)


def threes(x, layers):
    """Three edges from each node to the next."""
    for _ in range(layers):
        x = 2.0 * x + 3.0 * x + 5.0 * x
    return x


@pytest.mark.parametrize("layers", [1, 2, 10])
def test_the_sweep_touches_each_edge_once_though_paths_multiply(layers):
    tape = tapead.record(threes, 1.0, layers, argnums=0)
    assert tape.adjoints()[0] == 10.0**layers
    assert len(tape) == 1 + 5 * layers
    assert tape.edges == 7 * layers  # three products of one edge, two sums of two
    assert tape.visited == (1 + 5 * layers, 7 * layers)


def test_sum_times_z():
    f = tapead.value_and_grad(lambda x, y, z: (x + y) * z, argnums=(0, 1, 2))
    assert f(-2, 5, -4) == (-12.0, (-4.0, -4.0, 3.0))


def test_product_and_max():
    assert tapead.grad(lambda x, y: x * y, argnums=(0, 1))(4.0, 2.0) == (2.0, 4.0)
    assert tapead.grad(max, argnums=(0, 1))(4.0, 2.0) == (1.0, 0.0)


def logarithm(x, y):
    return math.log(x + math.exp(y / x))


def branching(x, y):
    if x > y:
        return math.sin(x) * y
    return math.log(x + math.exp(y / x))


def test_logarithm_of_a_sum_at_1_2():
    value, (dx, dy) = tapead.value_and_grad(logarithm, argnums=(0, 1))(1.0, 2.0)
    z = 1.0 + math.exp(2.0)
    assert value == math.log(z)
    assert dx == pytest.approx((1.0 - 2.0 * math.exp(2.0)) / z, rel=1e-15)
    assert dy == pytest.approx(math.exp(2.0) / z, rel=1e-15)


def test_only_the_branch_that_ran_is_on_the_tape():
    assert tapead.record(branching, 1.0, 2.0).operations[2:] == ["div", "exp", "add", "log"]
    assert tapead.record(branching, 2.0, 1.0).operations[2:] == ["sin", "mul"]


# ---------------------------------------------------------------------------- networks ---


def error(w, x=(1.0, 0.5), target=4.0):
    h1 = w[0] * x[0] + w[1] * x[1]
    h2 = w[2] * x[0] + w[3] * x[1]
    y = w[4] * h1 + w[5] * h2
    return 0.5 * (y - target) ** 2, (h1, h2, y)


def test_two_layer_network_and_one_step_of_descent():
    w = [0.5, 1.5, 2.3, 3.0, 1.0, 1.0]
    gradient = tapead.value_and_grad(error, has_aux=True)
    (value, (h1, h2, y)), g = gradient(w)
    assert (h1, h2, y) == pytest.approx((1.25, 3.8, 5.05), abs=1e-14)
    assert value == pytest.approx(0.55125, abs=1e-14)
    assert g[4] == pytest.approx(1.3125, abs=1e-14)
    w = [wi - 0.1 * gi for wi, gi in zip(w, g, strict=True)]
    assert w == pytest.approx([0.395, 1.4475, 2.195, 2.9475, 0.86875, 0.601], abs=1e-14)
    (value, (_, _, y)), _ = gradient(w)
    assert round(y, 4) == 3.1768
    assert round(value, 4) == 0.3388


def sigmoid(z):
    return 1.0 / (1.0 + math.exp(-z))


def relu(z):
    return z if z > 0.0 else 0.0


def mlp(parameters, xs):
    hidden = [relu(sum(w * x for w, x in zip(row, xs)) + b) for row, b in parameters["hidden"]]
    row, b = parameters["output"]
    return sigmoid(sum(w * h for w, h in zip(row, hidden)) + b)


def test_hand_written_mlp_agrees_with_hand_written_backpropagation():
    rng = random.Random(1)
    hidden = [([rng.gauss(0, 1) for _ in range(3)], rng.gauss(0, 1)) for _ in range(5)]
    parameters = {"hidden": hidden, "output": ([rng.gauss(0, 1) for _ in range(5)], 0.1)}
    xs = [0.3, -0.7, 1.1]
    value, g = tapead.value_and_grad(mlp)(parameters, xs)
    z = [sum(w * x for w, x in zip(row, xs)) + b for row, b in hidden]
    slope = value * (1.0 - value)
    row, _ = parameters["output"]
    assert g["output"][0] == pytest.approx([slope * relu(zi) for zi in z], rel=1e-14)
    assert g["output"][1] == pytest.approx(slope, rel=1e-14)
    for (dw, db), zi, wi in zip(g["hidden"], z, row, strict=True):
        back = slope * wi * (zi > 0.0)
        assert db == pytest.approx(back, rel=1e-14)
        assert dw == pytest.approx([back * x for x in xs], rel=1e-14)


def test_derivative_of_sigmoid_is_never_above_a_quarter():
    slopes = [tapead.grad(sigmoid)(k / 50.0) for k in range(-500, 501)]
    assert max(slopes) == slopes[500] == 0.25
    assert min(slopes) > 0.0


# ------------------------------------------------------------------------ many variables ---


def test_one_reverse_sweep_for_a_function_of_a_million_inputs():
    n = 1_000_000 if tapead.compiled else 50_000
    xs = [k / n for k in range(n)]

    def f(xs):
        total = 0.0
        for x in xs:
            total += x * x
        return total

    assert tapead.grad(f)(xs) == [2.0 * x for x in xs]


def product(xs):
    p = xs[0]
    for x in xs[1:]:
        p = p * x
    return p


def test_speelpenning_gradient():
    xs = [1.0 + 0.1 * math.sin(k) for k in range(50)]
    y, g = tapead.value_and_grad(product)(xs)
    assert g == pytest.approx([y / x for x in xs], rel=1e-14)


def test_speelpenning_hessian():
    xs = [1.0 + 0.3 * math.sin(k) for k in range(6)]
    y = product(xs)
    for i in range(6):
        column = tapead.grad(lambda xs, i=i: tapead.grad(product)(xs)[i])(xs)
        closed = [0.0 if i == j else y / (xs[i] * xs[j]) for j in range(6)]
        assert column == pytest.approx(closed, rel=1e-14)


def rosenbrock(x):
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


@pytest.mark.parametrize("n", [2, 100, 10_000])
def test_rosenbrock_gradient(n):
    x = [1.0 + 0.3 * math.sin(k) for k in range(n)]
    closed = [0.0] * n
    for i in range(n - 1):
        a = x[i + 1] - x[i] ** 2
        closed[i] -= 400.0 * a * x[i] + 2.0 * (1.0 - x[i])
        closed[i + 1] += 200.0 * a
    assert tapead.grad(rosenbrock)(x) == pytest.approx(closed, rel=1e-12, abs=1e-12)
    assert tapead.grad(rosenbrock)([1.0] * n) == [0.0] * n


# ----------------------------------------------------------------------------- algorithms ---


def van_der_pol(mu, y, v, end=2.0, tolerance=1e-8):
    """Heun's method inside Euler's, steps accepted or rejected by their difference."""
    t, h, accepted, rejected = 0.0, 0.5, 0, 0
    while t < end:
        h = min(h, end - t)
        k1y, k1v = v, mu * (1.0 - y * y) * v - y
        ye, ve = y + h * k1y, v + h * k1v
        k2y, k2v = ve, mu * (1.0 - ye * ye) * ve - ye
        dy, dv = 0.5 * h * (k2y - k1y), 0.5 * h * (k2v - k1v)
        error = math.hypot(dy, dv)
        if error <= 1e4 * tolerance:
            t, y, v, accepted = t + h, ye + dy, ve + dv, accepted + 1
        else:
            rejected += 1
        h = h * min(2.0, max(0.3, 0.9 * math.sqrt(1e4 * tolerance / error)))
    return y * y + v, (accepted, rejected)


def test_van_der_pol_with_accepted_and_rejected_steps():
    gradient = tapead.grad(van_der_pol, argnums=(0, 1, 2), has_aux=True)
    g, (accepted, rejected) = gradient(1.5, 2.0, 0.1)
    assert (accepted, rejected) == van_der_pol(1.5, 2.0, 0.1)[1]
    assert accepted > 10
    assert rejected > 0
    h = 1e-6  # steps are chosen from tracked numbers, so their change is part of the derivative
    for k in range(3):
        ahead, behind = [1.5, 2.0, 0.1], [1.5, 2.0, 0.1]
        ahead[k] += h
        behind[k] -= h
        difference = (van_der_pol(*ahead)[0] - van_der_pol(*behind)[0]) / (2.0 * h)
        assert g[k] == pytest.approx(difference, rel=1e-6, abs=1e-8)


def log_det_lu(a):
    a = [row[:] for row in a]
    n, total = len(a), 0.0
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(a[i][k]))
        a[k], a[p] = a[p], a[k]
        total += math.log(abs(a[k][k]))
        for i in range(k + 1, n):
            q = a[i][k] / a[k][k]
            for j in range(k + 1, n):
                a[i][j] -= q * a[k][j]
    return total


def log_det_cholesky(a):
    n, total = len(a), 0.0
    lower = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            v = a[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(v) if i == j else v / lower[j][j]
        total += 2.0 * math.log(lower[i][i])
    return total


def inverse(a):
    """Gauss and Jordan, on plain floats."""
    n = len(a)
    rows = [[*row, *(float(i == j) for j in range(n))] for i, row in enumerate(a)]
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[p] = rows[p], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]


def test_lu_with_pivoting_gives_the_transposed_inverse():
    rng = random.Random(2)
    a = [[rng.gauss(0.0, 1.0) for _ in range(7)] for _ in range(7)]
    closed = inverse(a)
    g = tapead.grad(log_det_lu)(a)
    for i in range(7):
        assert g[i] == pytest.approx([closed[j][i] for j in range(7)], rel=1e-10)


def test_cholesky_reads_one_triangle_and_its_gradient_lies_in_it():
    rng = random.Random(3)
    n = 6
    a = [[rng.uniform(-1.0, 1.0) for _ in range(n)] for _ in range(n)]
    a = [[0.5 * (a[i][j] + a[j][i]) + (n if i == j else 0) for j in range(n)] for i in range(n)]
    closed = inverse(a)
    g = tapead.grad(log_det_cholesky)(a)
    for i in range(n):
        for j in range(n):
            expected = (1.0 if i == j else 2.0) * closed[i][j] if j <= i else 0.0
            assert g[i][j] == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_a_sort_inside_the_function():
    def median(xs):
        return sorted(xs)[len(xs) // 2]

    assert tapead.grad(median)([5.0, 1.0, 9.0, 4.0, 7.0]) == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_recursion_900_deep():
    def power(x, n):
        return 1.0 if n == 0 else x * power(x, n - 1)

    assert tapead.grad(power)(1.001, 900) == pytest.approx(900 * 1.001**899, rel=1e-12)


def test_ten_million_rows():
    steps = 5_000_000 if tapead.compiled else 50_000

    def f(x):
        total = 0.0
        for _ in range(steps):
            total = total + x * 0.5
        return total

    assert tapead.grad(f)(1.0) == 0.5 * steps
