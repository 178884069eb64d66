"""The steps of flow: where the passages of a loop begin, and what their state is."""

import math

import pytest

import tapead

RTOL = 1e-12


def power(x, w, n):
    for _ in range(n):
        x = w * x
    return x


def rates(y, v):
    a = -y
    return v, a + 0.1 * (1.0 - y * y) * v


def heun(y, v, n):
    for _ in range(n):
        ky, kv = rates(y, v)
        ly, lv = rates(y + 0.1 * ky, v + 0.1 * kv)
        y = y + 0.05 * (ky + ly)
        v = v + 0.05 * (kv + lv)
    return y


def sometimes(x, n):
    for _ in range(n):
        if x > 1.0:
            x = x - 1.0
            x = 0.9 * x
        x = 1.3 * x
        x = x + 0.1
    return x


def nested(x, n):
    for _ in range(n):
        for _ in range(3):
            y = 2.0 * x
            x = y - x
        x = 0.5 * x
    return x


def while_loop(x, n):
    while abs(x) > 0.9**n:
        x = 0.9 * x + 1e-9
    return x


def layer(h, w):
    z = w * h
    return math.tanh(z)


def layers(x, n):
    for _ in range(n):
        x = layer(x, 0.9)
    return x


def neurons(x, n):
    h = [x, 0.5 * x]
    for _ in range(n):
        new = []
        for k in range(2):
            new.append(math.tanh(0.5 * h[0] + 0.2 * h[k]))
        h = new
    return h[0]


@pytest.mark.parametrize(
    ("f", "args", "what"),
    [
        (heun, (1.0, 0.5), "the loop at"),
        (sometimes, (0.7,), "the loop at"),
        (nested, (1.0,), "the loop at"),
        (while_loop, (0.95,), "the loop at"),
        (layers, (0.3,), "calls of layer"),
        (power, (1.0, 0.5), "repetitions in"),
    ],
)
def test_steps_are_the_passages_of_the_outermost_loop(f, args, what):
    flow = tapead.record(f, *args, 12, argnums=tuple(range(len(args)))).flow(by="step")
    assert len(flow) == 12
    assert flow.what.startswith(what)
    if f is not sometimes:  # whose first steps take the other branch
        assert set(flow.count.tolist()) == {flow.count[0]}


def scaled(x, w):
    return w * x


def raised(x):
    return x + 0.01


def counted(x, w, n):
    kept, passed = [x], 0
    for _ in range(n):
        x = math.tanh(scaled(kept[-1], w))
        kept.append(x)
        passed += 1  # noqa: SIM113
    return x


def called_first_and_last(x, w, n):
    for _ in range(n):
        x = math.tanh(scaled(x, w))
        x = raised(x)
    return 2.0 * x


def called_before_too(x, w, n):
    x = scaled(x, w)
    for _ in range(n):
        x = math.tanh(scaled(x, w))
        if x > 2.0:
            break
    return x


def called_after_too(x, w, n):
    for _ in range(n):
        x = math.tanh(scaled(x, w))
        print(end="")
    return 1.0 - scaled(x, w)


def listed(x, w, n):
    for _ in range(n):
        x = sum([math.sin(w * x + k) for k in range(3)])
    return x


def prepared(x, w, n):
    scales = [w * math.exp(math.sin(w + k)) for k in range(n)]
    for scale in scales:
        x = math.tanh(scale * x)
    return x


@pytest.mark.parametrize(
    ("f", "begin", "rows"),
    [
        (counted, 2, 2),
        (called_first_and_last, 2, 3),
        (called_before_too, 3, 2),
        (called_after_too, 2, 2),
        (listed, 2, 12),
        (prepared, 2 + 12 * 4, 2),
    ],
)
def test_a_step_begins_with_what_it_calls_first(f, begin, rows):
    tape = tapead.record(f, 0.5, 0.9, 12, argnums=(0, 1))
    given = tape.flow(by="step", steps=list(range(begin, begin + 12 * rows, rows)))
    found = tape.flow(by="step")
    assert len(found) == 12
    assert found.count.tolist()[:-1] == [rows] * 11
    assert found.adjoint[:-1].tolist() == given.adjoint[:-1].tolist()


def test_the_state_of_a_step_is_what_later_steps_read():
    n = 12
    flow = tapead.record(heun, 1.0, 0.5, n, argnums=(0, 1)).flow(by="step")
    assert list(flow.states) == ["y", "v"]

    def from_there(k):
        state = [1.0, 0.5]

        def rest(y, v):
            return heun(y, v, n - 1 - k)

        for _ in range(k + 1):
            kept = {}

            def one(y, v, kept=kept):
                ky, kv = rates(y, v)
                ly, lv = rates(y + 0.1 * ky, v + 0.1 * kv)
                kept["state"] = y + 0.05 * (ky + ly), v + 0.05 * (kv + lv)

            one(*state)
            state = kept["state"]
        return tapead.grad(rest, argnums=(0, 1))(*state)

    for k in (0, 5, n - 2):
        by_y, by_v = from_there(k)
        assert flow.states["y"][k] == pytest.approx(abs(by_y), rel=RTOL)
        assert flow.states["v"][k] == pytest.approx(abs(by_v), rel=RTOL)


def test_steps_can_be_counted_or_given():
    tape = tapead.record(neurons, 0.3, 10, argnums=(0,))
    assert tape.flow(by="step").count.tolist() == [8] * 10
    assert tape.flow(by="step", steps=20).count.tolist() == [4] * 20
    given = tape.flow(by="step", steps=[2, 10, 30])
    assert given.what == "as given"
    assert given.count.tolist() == [8, 20, len(tape) - 30]
    inner_loop = tapead.record(nested, 1.0, 4, argnums=(0,)).flow(by="step", steps=12)
    assert len(inner_loop) == 12
    with pytest.raises(ValueError, match=r"no line was passed 7 times.* passed 4, 12 times"):
        tapead.record(nested, 1.0, 4, argnums=(0,)).flow(by="step", steps=7)
    without_lines = tapead.record(power, 1.0, 0.5, 4, argnums=(0, 1), lines=False)
    assert without_lines.flow(by="step", steps=[2, 3, 4, 5]).adjoint.tolist() == [
        0.125, 0.25, 0.5, 1.0,
    ]  # fmt: skip


@pytest.mark.parametrize("steps", [[3, 2], [1.5], [99], [], [-1, 2], "three"])
def test_first_rows_of_steps_have_to_be_rows_in_their_order(steps):
    with pytest.raises(ValueError, match=r"first rows .* whole numbers from 0 to 5 that increase"):
        tapead.record(power, 1.0, 0.5, 4, argnums=(0, 1)).flow(by="step", steps=steps)


def test_a_number_of_steps_is_positive():
    with pytest.raises(ValueError, match="steps=0: a number of steps is positive"):
        tapead.record(power, 1.0, 0.5, 4, argnums=(0, 1)).flow(by="step", steps=0)


def test_a_program_without_a_loop_has_no_steps():
    with pytest.raises(ValueError, match=r"no loop was found .* steps=100, or .* steps=\[3, 9"):
        tapead.record(lambda x: x * math.sin(x), 1.0).flow(by="step")
