"""Functions of ``statistics`` in the user's modules: values to the last bit, and gradients."""

import math
import statistics
from statistics import mean, stdev

import numpy as np
import pytest

import tapead


def data(x):
    return [x, 2 * x * x, 1.5, math.sin(x) + 2, 7]


PROGRAMS = {
    "mean": lambda x: statistics.mean(data(x)),
    "mean of a generator": lambda x: statistics.mean(v * x for v in range(4)),
    "pvariance": lambda x: statistics.pvariance(data(x)),
    "variance": lambda x: statistics.variance(data(x)),
    "pstdev": lambda x: statistics.pstdev(data(x)),
    "stdev": lambda x: statistics.stdev(data(x)),
    "variance about a number": lambda x: statistics.variance(data(x), 2.0),
    "variance about a tracked number": lambda x: statistics.variance([1.0, 2.5, 4.0], xbar=x),
    "names of their own": lambda x: mean(data(x)) * stdev(data(x)),
    "fmean": lambda x: statistics.fmean(data(x)),
    "median": lambda x: statistics.median(data(x)),
    "quantiles": lambda x: sum(statistics.quantiles(data(x))),
    "correlation": lambda x: statistics.correlation(data(x), [x, 2.0, x * x, 3.0, 1.0]),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_are_those_of_the_plain_program_and_gradients_exact(name):
    f = PROGRAMS[name]
    assert tapead.value_and_grad(f)(1.7)[0] == f(1.7)
    tapead.check_grads(f, (1.7,), order=2)


@pytest.mark.parametrize("n", range(2, 12))
def test_means_are_rounded_once(n):
    def f(x):
        return statistics.mean([x / (k + 3) for k in range(n)])

    assert tapead.value_and_grad(f)(0.1)[0] == f(0.1)


def test_the_gradient_of_a_variance_is_that_of_its_definition():
    found = tapead.grad(lambda a: statistics.variance(list(a)))(np.array([1.0, 2.0, 6.0]))
    assert found.tolist() == [-2.0, -1.0, 3.0]  # 2 (x - mean) / (n - 1)


def test_errors_are_those_of_the_module_and_names_are_put_back():
    with pytest.raises(statistics.StatisticsError, match="two data points"):
        tapead.grad(lambda x: statistics.variance([x]))(1.0)
    assert mean.__module__ == statistics.mean.__module__ == "statistics"
    assert mean([1, 2]) == 1.5
