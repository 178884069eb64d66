"""What checkpointed functions hold beside their arguments, and results in the memory of inputs."""

import functools
import itertools
import random

import numpy as np
import pytest

import tapead
from tapead import checkpoint, checkpointed_loop, grad

X = np.array([1.0, 2.0, 3.0, 4.0])


def plainly(f):
    return f


class Layer:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return np.tanh(self.w * x)

    method = __call__


class Slotted:
    __slots__ = ("w",)

    def __init__(self, w):
        self.w = w


class Network:
    def __init__(self, w):
        self.layers = [Layer(w), Layer(w * w)]


def attribute_of_a_closures_object(check, x):
    layer = Layer(x)
    return check(lambda y: y * layer.w)(x)


def attribute_of_an_argument(check, x):
    return check(lambda y, layer: y * layer.w)(x, Layer(x * x))


def slot(check, x):
    return check(lambda y, layer: y * layer.w)(x, Slotted(x * x))


def bound_method(check, x):
    return check(Layer(x).method)(x)


def object_that_is_called(check, x):
    return check(Layer(x))(x)


def decorated_method(check, x):
    class Decorated(Layer):
        @check
        def call(self, y):
            return self.w * y

    return Decorated(x).call(x * x)


def objects_in_a_list_of_an_object(check, x):
    network = Network(x)
    return check(lambda y: network.layers[1](network.layers[0](y)))(x)


def partial(check, x):
    return check(functools.partial(lambda a, b, c, d: a * b * c + d, x, d=x * x))(x, c=2.0)


def default(check, x):
    def f(y, w=x * 2.0, *, v=x):
        return y * w + v

    return check(f)(x)


HOLDERS = [
    attribute_of_a_closures_object, attribute_of_an_argument, slot, bound_method,
    object_that_is_called, decorated_method, objects_in_a_list_of_an_object, partial, default,
]  # fmt: skip


@pytest.mark.parametrize("program", HOLDERS, ids=lambda f: f.__name__)
def test_tracked_values_are_found_where_a_function_holds_them(program):
    def f(check):
        return lambda x: np.sum(program(check, x))

    for derivative in (grad, tapead.jacrev, tapead.hessian, lambda f: grad(grad(f))):
        found = derivative(f(checkpoint))(0.7)
        assert found == pytest.approx(derivative(f(plainly))(0.7), rel=1e-13)
    assert len(tapead.record(lambda x: program(checkpoint, x), 0.7)) <= 4


def test_steps_of_loops_find_them_too():
    def by_loop(x):
        network = Network(x)

        def step(y):
            return network.layers[0](y) + network.layers[1].w

        return checkpointed_loop(step, x, 7, snapshots=2)

    def by_hand(x):
        y = x
        for _ in range(7):
            y = np.tanh(x * y) + x * x
        return y

    pytest.importorskip("checkpoint_schedules")
    for derivative in (grad, lambda f: grad(grad(f))):
        assert derivative(by_loop)(0.7) == pytest.approx(derivative(by_hand)(0.7), rel=1e-12)


def test_attributes_are_as_before_after_a_run_that_fails():
    layer = Layer(None)

    @checkpoint
    def f(y):
        raise KeyError(layer.w)

    def program(x):
        layer.w = x
        try:
            return f(x)
        except KeyError:
            return x * layer.w

    assert grad(program)(3.0) == 6.0


def test_an_attribute_that_is_changed_is_named():
    @checkpoint
    def f(y, layer):
        layer.w = layer.w * y
        return layer.w

    with pytest.raises(tapead.RecomputeError, match=r"f is checkpointed .* attribute w of a Layer"):
        grad(lambda x: f(x, Layer(x)))(2.0)


@pytest.mark.parametrize("where", ["list", "dict", "attribute", "log"])
def test_the_second_run_finds_lists_dicts_and_attributes_as_the_first_did(where):
    def program(x, check):
        held, layer = {"list": [1], "dict": {"k": 1}, "log": []}, Layer(1)

        @check
        def f(y):
            if where == "attribute":
                layer.w += 1
                return y * y * layer.w
            if where == "log":
                held["log"].append(tapead.value(y))
                return y * sum(held["log"])
            key = 0 if where == "list" else "k"
            held[where][key] += 1
            return y * y * held[where][key]

        y = f(f(x)) + f(x * 0.5)
        state.append((str(held), layer.w))
        return y

    state = []
    assert grad(program)(1.5, checkpoint) == grad(program)(1.5, plainly)
    assert state[0] == state[1]


# ---------------------------------------------------------------------- shared memory ---


def written_in_the_result(check, z):
    p = check(lambda u: u)(z)
    p[0] = 5.0
    return z * z


def written_in_a_view_of_the_input(check, z):
    p = check(lambda u: u[1:])(z)
    p[0] = p[1] * p[2]
    return z * z


def written_in_the_input(check, z):
    p = check(lambda u: u.reshape(2, 2).T)(z)
    z[1] = z[0] * z[2]
    return p[0, 0] * p * p


def handed_on_beside_others(check, z):
    q, p = check(lambda u: (u * 2.0, u))(z)
    z[0] = q[1] * q[2]
    return p * p * q


def given_twice(check, z):
    def twice(u):
        r = u * 2.0
        return r, r

    q, p = check(twice)(z)
    q[0] = z[1] * z[2]
    return p * p


def given_with_a_view(check, z):
    def both(u):
        r = u * 2.0
        return r, r[::-2]

    q, p = check(both)(z)
    q[1] = z[2] * z[2]
    p[0] = z[0]
    return p[1] * p[0] * q


def constant_that_is_handed_on(check, z):
    w = np.array([1.0, 2.0])
    q, p = check(lambda u, w: (u * 2.0, w))(z, w)
    p[0] = q[1]
    return w * w


def array_of_the_closure(check, z):
    p = check(lambda u: z)(z[0])
    p[0] = z[1] * z[2]
    return z * z


SHARING = [
    written_in_the_result, written_in_a_view_of_the_input, written_in_the_input,
    handed_on_beside_others, given_twice, given_with_a_view, constant_that_is_handed_on,
    array_of_the_closure,
]  # fmt: skip


@pytest.mark.parametrize("program", SHARING, ids=lambda f: f.__name__)
def test_what_is_written_into_shared_memory_is_seen_by_all_its_names(program):
    def f(check):
        return lambda x: np.sum(program(check, x * 1.5) * np.cos(np.arange(x.size)).sum())

    plain = program(plainly, X * 1.5)
    np.testing.assert_array_equal(program(checkpoint, X * 1.5), plain)
    for derivative in (tapead.value_and_grad, tapead.hessian):
        for a, b in zip(derivative(f(checkpoint))(X), derivative(f(plainly))(X), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("shared", ["with the input", "with each other"])
def test_memory_that_is_shared_in_other_ways_is_refused(shared):
    def f(u):
        r = u if shared == "with the input" else u * 2.0
        return (r[0], r[:, 0]) if shared == "with the input" else (r[:-1, 0], r[1:, 0])

    def program(x):
        y = np.outer(x, x)
        y = y[:, ::2] if shared == "with the input" else y
        return np.sum(checkpoint(f)(y)[0])

    with pytest.raises(tapead.UnsupportedError, match=r"f is checkpointed and .* Return a copy"):
        grad(program)(X)


def test_calls_share_one_copy_of_a_constant():
    w = np.arange(100_000.0)

    def program(x):
        for _ in range(30):
            x = checkpoint(lambda x, w: x * w[3])(x, w)
        return x

    tape = tapead.record(program, 0.5)
    calls = [record.rule.pull.__self__ for record in tape._tape.records]
    copies = {id(x) for call in calls for x in call.inputs.plain if isinstance(x, np.ndarray)}
    assert len(calls) == 30
    assert len(copies) == 1


def test_a_constant_that_is_overwritten_between_calls_is_kept_as_it_was():
    for kind in (float, int):
        w = np.zeros(10_000, kind)

        def program(x, check, w=w):
            total = 0.0
            for k in range(4):
                w[:] = k
                total = total + check(lambda x, w: x * x * w[5])(x, w)
            return total

        assert grad(program)(0.5, checkpoint) == grad(program)(0.5, plainly) == 6.0


# ------------------------------------------------------------------------- generators ---


class HasSlot:
    __slots__ = ("rng",)


def draws():
    slotted = HasSlot()
    slotted.rng = np.random.default_rng(1)
    bits = np.random.PCG64(2)

    def with_default(x, *, rng=random.Random(3)):  # noqa: B008 - that is what is tested
        return x * rng.random()

    yield "slot", lambda x: x * slotted.rng.normal()
    yield "bit generator", lambda x: x * np.random.Generator(bits).normal()
    yield "keyword's default", with_default
    yield "partial", functools.partial(lambda r, x: x * r.normal(), np.random.default_rng(4))


@pytest.mark.parametrize(("where", "f"), list(draws()), ids=[where for where, _ in draws()])
def test_generators_are_put_back_wherever_a_function_has_them(where, f):
    """The gradient of what is linear is the value, with the numbers that were drawn for it."""
    f = checkpoint(f)
    value, slope = tapead.value_and_grad(lambda x: f(x) + 2.0 * f(x))(1.0)
    assert value == slope


def test_the_error_of_a_partial_function_names_it():
    clock = itertools.count(1)

    def counting(k, x):
        return x * k * next(clock)

    with pytest.raises(tapead.RecomputeError, match=r"counting is checkpointed"):
        grad(checkpoint(functools.partial(counting, 1)))(1.0)
