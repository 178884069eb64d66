"""Plain arrays that objects, classes and namespaces hold are found, and take tracked numbers."""

import types

import numpy as np
import pytest

import tapead


class Model:
    def __init__(self):
        self.buffer = np.zeros(2)

    def step(self, x):
        self.buffer[0] = x * x
        return self.buffer.sum()


class Callable(Model):
    def __call__(self, x):
        return self.step(x)


class Layer:
    def __init__(self):
        self.weights, self.buffer = np.arange(3.0), np.zeros(3)

    def __call__(self, x):
        self.buffer[:] = self.weights * x
        return self.buffer.sum()


class Network:
    def __init__(self):
        self.layers = [Layer(), Layer()]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * x


class Shared:
    lists = [np.zeros(2), np.zeros(2)]  # noqa: RUF012 - what the test is about
    tables = {"a": np.zeros(2)}  # noqa: RUF012
    array = np.zeros(2)


model, called, network = Model(), Callable(), Network()
bound = model.step
space = types.SimpleNamespace(array=np.zeros(3))


def in_a_namespace(x):
    space.array[0] = x * x
    return space.array.sum()


def in_a_list_of_a_class(x):
    Shared.lists[1][0] = x * x
    return Shared.lists[1].sum()


def in_a_dictionary_of_a_class(x):
    Shared.tables["a"][0] = x * x
    return Shared.tables["a"].sum()


def in_a_class(x):
    Shared.array[0] = x * x
    return Shared.array.sum()


SQUARES = {
    "a method by its object": lambda x: model.step(x),
    "a bound method": model.step,
    "a bound method by a global name": lambda x: bound(x),
    "an object that is called": called,
    "a global object that is called": lambda x: called(x),
    "the __call__ of an object": called.__call__,
    "a namespace": in_a_namespace,
    "a list of a class": in_a_list_of_a_class,
    "a dictionary of a class": in_a_dictionary_of_a_class,
    "a class": in_a_class,
}


@pytest.mark.parametrize("name", SQUARES)
def test_arrays_are_found_wherever_ordinary_programs_hold_them(name):
    assert tapead.value_and_grad(SQUARES[name])(3.0) == (9.0, 6.0)


def test_arrays_of_objects_that_objects_hold_are_found_and_are_plain_again_afterwards():
    # Each layer triples: (9 x)**2.
    assert tapead.value_and_grad(network)(2.0) == (324.0, 324.0)
    assert tapead.value_and_grad(lambda x: network(x))(2.0) == (324.0, 324.0)
    buffer = network.layers[1].buffer
    assert type(buffer) is np.ndarray
    assert buffer.tolist() == [0.0, 6.0, 12.0]
    assert type(Shared.lists[1]) is type(space.array) is np.ndarray


def test_arrays_that_a_program_moves_between_places_are_plain_again_afterwards():
    waiting = [np.ones(2), np.full(2, 2.0), np.full(2, 3.0)]
    named = {"new": np.ones(2)}
    model = types.SimpleNamespace(before=None, now=np.ones(2))
    first, new, now = waiting[0], named["new"], model.now

    def f(x):
        waiting.append(waiting.pop(0))
        named["old"] = named.pop("new")
        model.before, model.now = model.now, model.now * 2.0
        return ((waiting[-1] + named["old"] + model.before) * x).sum()

    assert tapead.grad(f)(1.0) == 6.0
    assert waiting[-1] is first
    assert named["old"] is new
    assert model.before is now
    assert [type(x) for x in waiting] == [np.ndarray] * 3


def test_a_name_that_cannot_be_put_back_leaves_no_recording_open():
    class Moody:
        __slots__ = ("armed", "data")

        def __init__(self):
            self.data, self.armed = np.ones(2), False

        def __setattr__(self, name, value):
            if name == "data" and getattr(self, "armed", False):
                raise RuntimeError("this may not be set")
            object.__setattr__(self, name, value)

    moody = Moody()

    def f(x):
        moody.armed = True
        return (moody.data * x).sum()

    with pytest.raises(RuntimeError, match="may not be set"):
        tapead.grad(f)(1.0)
    assert tapead.grad(lambda x: x * x)(3.0) == 6.0
